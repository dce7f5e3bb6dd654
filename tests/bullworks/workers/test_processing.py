"""From a queue that is injected to a processor that runs: the straight path."""

import asyncio
import logging
from typing import Annotated, Any, TypedDict

import pytest

from bullworks.bullmq import Job, Queue, SyncJob, Worker
from bullworks.core import create_application, module, provide
from bullworks.workers import (
    BullModule,
    InjectQueue,
    NoWorkerError,
    WorkerHost,
    get_queue_token,
    on_worker_event,
    processor,
)
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.conftest import queue_of


class Sender:
    def __init__(self, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
        self.email_queue = email_queue


async def finished(job: Job, within_s: float = 10) -> Job:
    async def has_finished() -> bool:
        await job.refresh()
        return job.finished_on is not None

    await eventually(has_finished, within_s=within_s, what=f"{job} to finish")
    return job


async def test_a_job_added_to_an_injected_queue_is_processed_and_its_result_stored(run: Any) -> None:
    class Mail:
        sent: list[Any] = []

    @processor("email", concurrency=5)
    class EmailWorker(WorkerHost):
        def __init__(self, mail: Mail) -> None:
            self.mail = mail

        async def process(self, job: Job) -> Any:
            self.mail.sent.append(job.data)
            return {"sent": True}

    async with run(EmailWorker, Mail, Sender) as app:
        job = await app.get(Sender).email_queue.add("welcome", {"to": "you"})
        assert (await finished(job)).returnvalue == {"sent": True}
        assert app.get(Mail).sent == [{"to": "you"}]


async def test_a_plain_process_runs_in_a_thread_with_a_sync_job(run: Any) -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        def process(self, job: SyncJob) -> Any:
            job.update_progress(50)
            return job.data

    async with run(EmailWorker) as app:
        job = await finished(await queue_of(app).add("x", 7))
        assert (job.returnvalue, job.progress) == (7, 50)


async def test_generic_hosts_say_what_their_jobs_hold(run: Any) -> None:
    class Mail(TypedDict):
        to: str

    @processor("email")
    class EmailWorker(WorkerHost[Mail, int]):
        async def process(self, job: Job[Mail, int]) -> int:
            return len(job.data["to"])

    async with run(EmailWorker) as app:
        assert (await finished(await queue_of(app).add("x", {"to": "abc"}))).returnvalue == 3


async def test_the_engine_s_worker_has_the_processor_s_options(run: Any) -> None:
    @processor(
        "email", concurrency=7, lock_duration=20_000, timeout=1_000, name="worker-1", metrics={"max_data_points": 60}
    )
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with run(EmailWorker) as app:
        worker = app.get(EmailWorker).worker
        assert isinstance(worker, Worker)
        assert (worker.opts.concurrency, worker.opts.lock_duration_ms, worker.opts.timeout_ms) == (7, 20_000, 1_000)
        assert (worker.name, worker.opts.max_data_points) == ("worker-1", 60)
        assert worker.is_running


def test_a_host_outside_of_an_application_has_no_worker() -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(NoWorkerError, match="EmailWorker has no worker"):
        _ = EmailWorker().worker


async def test_worker_events_reach_methods_with_as_many_arguments_as_they_take(run: Any) -> None:
    heard: list[Any] = []

    class Base(WorkerHost):
        @on_worker_event("active")
        def on_active(self) -> None:
            heard.append("active")

    @processor("email")
    class EmailWorker(Base):
        async def process(self, job: Job) -> Any:
            await job.update_progress(10)
            if job.data == "bad":
                raise ValueError("bad address")
            return "ok"

        @on_worker_event("completed")
        async def on_completed(self, job: Job, result: Any) -> None:
            heard.append(("completed", job.data, result))

        @on_worker_event("failed")
        def on_failed(self, job: Job | None, error: BaseException, previous: str) -> None:
            heard.append(("failed", str(error), previous))

        @on_worker_event("progress")
        def on_progress(self, job: Job, progress: float) -> None:
            heard.append(("progress", progress))

        @on_worker_event("ready")
        @on_worker_event("closed")
        def on_life(self) -> None:
            heard.append("life")

    async with run(EmailWorker) as app:
        await queue_of(app).add("x", "good")
        await queue_of(app).add("x", "bad")
        expected = [("completed", "good", "ok"), ("failed", "bad address", "active"), ("progress", 10), "active"]
        await eventually(lambda: all(event in heard for event in expected), what=f"{expected} in {heard}")
    assert heard.count("life") == 2


async def test_an_event_method_that_raises_is_logged_and_harms_no_job(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> str:
            return "ok"

        @on_worker_event("active")
        def on_active(self, job: Job) -> None:
            raise RuntimeError("a bug in the listener")

    async with run(EmailWorker) as app:
        job = await finished(await queue_of(app).add("x"))
        assert job.returnvalue == "ok"
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    facts = record.__dict__
    assert (facts["queue"], facts["event"], facts["job_id"]) == ("email", "active", job.id)


async def test_the_same_queue_registered_twice_is_one_object(workers: Any, redis_url: str, key_prefix: str) -> None:
    @module(imports=[BullModule.register_queue("email", "sms")], providers=[Sender])
    class EmailModule: ...

    class Other:
        def __init__(self, queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.queue = queue

    @module(imports=[BullModule.register_queue("email")], providers=[Other])
    class UsersModule: ...

    root = BullModule.for_root(connection=redis_url, prefix=key_prefix)
    async with create_application(module(imports=[root, EmailModule, UsersModule])(type("App", (), {}))) as app:
        assert app.get(Sender).email_queue is app.get(Other).queue is queue_of(app)
        assert queue_of(app, "sms").connection is queue_of(app).connection


async def test_queues_registered_in_for_root_are_visible_everywhere(redis_url: str, key_prefix: str) -> None:
    @module(providers=[Sender])
    class EmailModule: ...

    root = BullModule.for_root(connection=redis_url, prefix=key_prefix, queues=("email",))
    async with create_application(module(imports=[EmailModule, root])(type("App", (), {}))) as app:
        assert app.get(Sender).email_queue.name == "email"


async def test_default_job_options_and_prefix_of_a_registered_queue_hold(redis_url: str, key_prefix: str) -> None:
    queue = BullModule.register_queue("email", prefix=f"{key_prefix}x", default_job_options={"attempts": 4})
    root = BullModule.for_root(connection=redis_url, prefix=key_prefix)
    async with create_application(module(imports=[root, queue])(type("App", (), {}))) as app:
        job = await queue_of(app).add("x")
        assert job.opts.attempts == 4
        assert queue_of(app).keys.prefix == f"{key_prefix}x"


async def test_a_worker_follows_a_queue_of_the_user_s_own(redis_url: str, key_prefix: str) -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> str:
            return "ok"

    async with Queue("email", connection=redis_url, prefix=f"{key_prefix}own") as own:
        root = BullModule.for_root(
            connection="redis://127.0.0.1:1/0",
            providers=[EmailWorker, provide(get_queue_token("email"), use_value=own)],
        )
        async with create_application(root):
            assert (await finished(await own.add("x"))).returnvalue == "ok"
        assert (await own.get_job_counts())["completed"] == 1  # it is not the application's to close


async def test_processors_of_one_queue_compete_with_a_warning(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen = asyncio.Queue[str]()

    @processor("email")
    class FirstWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            await seen.put("first")

    @processor("email")
    class SecondWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            await seen.put("second")

    async with run(FirstWorker, SecondWorker) as app:
        await queue_of(app).add("x")
        assert await asyncio.wait_for(seen.get(), 10) in {"first", "second"}
    assert (
        "the queue email has 2 processors, BullModule > FirstWorker and BullModule > SecondWorker: "
        "each job goes to whichever takes it first"
    ) in caplog.messages
