"""Every example of docs/workers.md runs, and does what the page says."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bullworks.bullmq import Backoff, Job, Worker
from bullworks.core import create_application, module
from bullworks.locks import DistributedLockService
from bullworks.workers import BullModule, get_queue_token, processor
from tests.bullworks.docs import (
    checks_beyond_the_guide,
    checks_of_crons,
    checks_of_monitoring,
    checks_of_testing,
    checks_of_typed_jobs,
)
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import MAIL, Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/workers.md"
EXAMPLES = examples_of(PAGE)
log = logging.getLogger("example")

checks = Checks()
FURTHER_CHECKS = (
    checks_beyond_the_guide.checks.by_name
    | checks_of_crons.checks.by_name
    | checks_of_monitoring.checks.by_name
    | checks_of_testing.checks.by_name
    | checks_of_typed_jobs.checks.by_name
)


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted([*checks.by_name, *FURTHER_CHECKS])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(
    example: Any, redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    caplog.set_level(logging.INFO)
    stage = Stage(example, redis_url, key_prefix)
    check = {**checks.by_name, **FURTHER_CHECKS}[example.name]
    await (check(stage, caplog) if check.__code__.co_argcount == 2 else check(stage))


@checks("creating-a-worker")
async def the_worker_sends(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.EmailWorker, queues=("email",)) as application:
        job = await application.get(get_queue_token("email")).add("welcome-email", MAIL)
        assert (await stage.finished(job)).returnvalue == {"sent": True}


@checks("sync-worker")
async def a_plain_function_runs_in_a_thread(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.ThumbnailWorker, queues=("thumbnails",)) as application:
        job = await application.get(get_queue_token("thumbnails")).add("thumbnail", {"path": "a.png"})
        await stage.finished(job)
        assert (job.returnvalue, job.progress) == ("a.png.thumb.png", 50)


@checks("adding-jobs")
async def the_service_adds_the_job(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.UserService, queues=("email",)) as application:
        await application.get(page.UserService).send_welcome_email("user@example.com")
        (job,) = await application.get(get_queue_token("email")).get_jobs("waiting")
        assert job.name == "welcome-email"
        expected = {"email": "user@example.com", "subject": "Welcome!", "body": "Thank you for registering"}
        assert job.data == expected


@checks("adding-in-bulk")
async def three_jobs_are_added(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        page = await stage.run(self=SimpleNamespace(email_queue=queue))
        assert [job.data["email"] for job in page.jobs] == [f"user{n}@example.com" for n in (1, 2, 3)]
        assert (await queue.get_job_counts())["prioritized"] == 3


@checks("job-options")
async def the_options_are_in_the_job(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        await stage.run(self=SimpleNamespace(email_queue=queue), **MAIL)
        (job,) = await queue.get_jobs("delayed")
        assert (job.opts.attempts, job.delay, job.priority) == (3, 5_000, 1)
        assert job.opts.backoff == Backoff.exponential(60_000)
        assert job.data == MAIL


@checks("job-options-in-python")
async def timedeltas_mean_the_same(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        page = await stage.run(self=SimpleNamespace(email_queue=queue), **MAIL)
        (job,) = await queue.get_jobs("delayed")
        assert job.id == page.job.id
        assert (job.opts.attempts, job.delay, job.opts.timeout_ms) == (3, 5_000, 30_000)
        assert job.opts.backoff == Backoff.exponential(60_000)


@checks("job-options-in-a-dict")
async def a_dict_behind_the_data_means_the_same(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        await stage.run(self=SimpleNamespace(email_queue=queue), **MAIL)
        (job,) = await queue.get_jobs("waiting")
        assert (job.data, job.opts.attempts, job.opts.backoff) == (MAIL, 3, Backoff.exponential(60_000))


@checks("repeatable-jobs")
async def the_job_waits_for_its_time_and_is_followed_by_the_next(stage: Stage) -> None:
    async with stage.queue("sync") as queue:
        await stage.run(self=SimpleNamespace(queue=queue))
        await stage.run(self=SimpleNamespace(queue=queue))
        (scheduler,) = await queue.get_job_schedulers()
        assert (scheduler.pattern, scheduler.next % 300_000) == ("*/5 * * * *", 0)
        (job,) = await queue.get_delayed()
        assert (job.name, job.data) == ("sync-data", {"source": "api"})
        await job.promote()
        async with Worker("sync", lambda job: "synced", connection=stage.redis_url, prefix=stage.prefix):
            assert (await stage.finished(job)).returnvalue == "synced"
        (following,) = await queue.get_delayed()
        assert following.id == f"repeat:{scheduler.key}:{scheduler.next + 300_000}"


@checks("job-schedulers")
async def the_scheduler_has_its_pending_job(stage: Stage) -> None:
    async with stage.queue("reports") as queue:
        page = await stage.run(self=SimpleNamespace(queue=queue))
        scheduler = await queue.get_job_scheduler("nightly-report")
        assert scheduler is not None
        assert (scheduler.name, scheduler.pattern, scheduler.tz) == ("report", "30 2 * * *", "Europe/Paris")
        assert page.job.id == f"repeat:nightly-report:{scheduler.next}"
        assert (page.job.data, page.job.opts.attempts) == ({"kind": "daily"}, 3)


@checks("managing-schedulers")
async def schedulers_are_listed_and_removed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.queue("reports") as queue:
        self = SimpleNamespace(queue=queue)
        await stage.run_other("job-schedulers", self=self)
        scheduler = await queue.get_job_scheduler("nightly-report")
        assert scheduler is not None
        page = await stage.run(self=self, log=log)
        assert f"nightly-report runs next at {scheduler.next} ms" in caplog.messages
        assert page.removed is True
        assert await queue.get_job_schedulers_count() == 0
        assert await queue.get_delayed() == []


@checks("job-progress")
async def progress_grows_to_100(stage: Stage) -> None:
    handled: list[str] = []

    async def process_item(item: str) -> None:
        handled.append(item)

    page = await stage.run(Job=Job, Any=Any)
    handler = functools.partial(page.process, SimpleNamespace(process_item=process_item))
    job = await stage.processed(handler, {"items": ["a", "b", "c", "d"]})
    assert (handled, job.progress, job.returnvalue) == (["a", "b", "c", "d"], 100, {"processed": 4})


@checks("job-events")
async def the_listeners_hear(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run()

    @processor("email")
    class Listening(page.EmailWorker):  # type: ignore[name-defined,misc]
        async def process(self, job: Job) -> Any:
            await job.update_progress(40)
            if job.data == "bad":
                raise ValueError("no such address")

    async with stage.application(Listening, queues=("email",)) as application:
        queue = application.get(get_queue_token("email"))
        good, bad = await queue.add("mail", "good"), await queue.add("mail", "bad")
        expected = {
            f"Job {good.id} completed",
            f"Job {good.id} progress: 40%",
            f"Job {bad.id} failed: no such address",
        }
        await eventually(lambda: expected <= set(caplog.messages), what=f"{expected} to be logged")


@checks("distributed-lock")
async def one_instance_syncs_and_the_other_says_so(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run()
    started, may_end = asyncio.Event(), asyncio.Event()

    class SlowSync(page.SyncWorker):  # type: ignore[misc, name-defined]
        async def perform_sync(self) -> None:
            started.set()
            await may_end.wait()

    async with (
        DistributedLockService(connection=stage.redis_url) as one,
        DistributedLockService(connection=stage.redis_url) as other,
    ):
        syncing = asyncio.create_task(SlowSync(one).sync_data())
        await asyncio.wait_for(started.wait(), 5)
        await page.SyncWorker(other).sync_data()
        assert caplog.messages.count("Another instance is already syncing") == 1
        may_end.set()
        await asyncio.wait_for(syncing, 5)
        assert not await other.is_locked("sync-data")


@checks("pause-resume")
async def the_queue_is_paused_and_resumed(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        calls: list[str] = []

        async def spy(name: str, call: Callable[[], Awaitable[Any]]) -> None:
            await call()
            calls.append(name)

        spied = SimpleNamespace(
            pause=lambda: spy("pause", queue.pause),
            resume=lambda: spy("resume", queue.resume),
        )
        await stage.run(self=SimpleNamespace(queue=spied))
        assert calls == ["pause", "resume"]


@checks("clean")
async def only_old_jobs_are_removed(stage: Stage) -> None:
    day_ms = 24 * 60 * 60 * 1000
    now_ms = int(time.time() * 1000)
    done = [await stage.processed(lambda job: None, n) for n in range(2)]

    async def fail(job: Job) -> None:
        raise ValueError("on purpose")

    failed = [await stage.processed(fail, n) for n in range(2)]
    async with stage.queue("examples") as queue:
        # The older of each two has ended long ago.
        await queue.connection.execute("ZADD", queue.keys.of("completed"), now_ms - 2 * day_ms, done[0].id)
        await queue.connection.execute("ZADD", queue.keys.of("failed"), now_ms - 8 * day_ms, failed[0].id)
        await stage.run(self=SimpleNamespace(queue=queue))
        left = await queue.get_jobs("completed") + await queue.get_jobs("failed")
        assert {job.id for job in left} == {done[1].id, failed[1].id}


@checks("job-counts")
async def counts_are_by_state(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.queue("email") as queue:
        await queue.add("mail", 1)
        await queue.add("mail", 2, delay=60_000)
        page = await stage.run(self=SimpleNamespace(queue=queue), log=log)
        assert "waiting 1, active 0, completed 0, failed 0" in caplog.messages
        assert page.counts["delayed"] == 1


async def _worker_classes(stage: Stage) -> dict[str, Any]:
    email, thumbnails = await stage.run_other("creating-a-worker"), await stage.run_other("sync-worker")
    return {"EmailWorker": email.EmailWorker, "ThumbnailWorker": thumbnails.ThumbnailWorker}


async def _workers_module(stage: Stage) -> Any:
    return (await stage.run_other("worker-registration", **await _worker_classes(stage))).WorkersModule


@checks("worker-registration")
async def registration_makes_a_container(stage: Stage) -> None:
    page = await stage.run(**await _worker_classes(stage))
    workers = page.WorkersModule.for_root(connection=stage.redis_url)
    assert {"email_worker", "thumbnail_worker"} <= set(workers.providers)


@checks("registration-as-in-nest")
async def queues_are_registered_as_in_nest(stage: Stage) -> None:
    page = await stage.run()
    root = module(imports=[page.root, page.queues])(type("Root", (), {}))
    async with create_application(root) as application:
        email, ticker = (application.get(get_queue_token(name)) for name in ("email", "ticker"))
        assert ((await email.add("x")).opts.attempts, (await ticker.add("x")).opts.attempts) == (3, 1)
        await email.obliterate(force=True)
        await ticker.obliterate(force=True)


@checks("running")
async def the_container_runs_until_it_is_asked_to_stop(stage: Stage) -> None:
    await stage.runs_until_closed(WorkersModule=await _workers_module(stage))


@checks("feature-modules")
async def modules_are_put_together(stage: Stage) -> None:
    users = await stage.run_other("adding-jobs")
    names = {"WorkersModule": await _workers_module(stage), "UserService": users.UserService}
    page = await stage.run(module=module, BullModule=BullModule, **names)
    async with await create_application(page.AppModule) as application:
        queue = application.get(get_queue_token("email"))
        await application.get(page.UserService).send_welcome_email("user@example.com")
        await eventually(queue.get_completed_count)
        (job,) = await queue.get_completed()
        assert job.returnvalue == {"sent": True}


@checks("error-handling")
async def a_raised_error_is_retried(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[Any] = []

    async def perform_task(data: Any) -> None:
        tries.append(data)
        if len(tries) == 1:
            raise ConnectionError("not this time")

    page = await stage.run(Job=Job, Any=Any, log=log)
    handler = functools.partial(page.process, SimpleNamespace(perform_task=perform_task))
    job = await stage.processed(handler, "task", attempts=2)
    assert (job.returnvalue, job.attempts_made, tries) == ({"success": True}, 2, ["task", "task"])
    assert f"Job {job.id} failed" in caplog.messages


@checks("unrecoverable")
async def no_retry_is_spent(stage: Stage) -> None:
    page = await stage.run(Job=Job, Any=Any)
    job = await stage.processed(functools.partial(page.process, None), {}, attempts=3)
    assert (job.failed_reason, job.attempts_made) == ("the job has no email", 1)
    assert (await stage.processed(functools.partial(page.process, None), MAIL, attempts=3)).failed_reason is None
