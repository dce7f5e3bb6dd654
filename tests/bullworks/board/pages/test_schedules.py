"""The page of crons and job schedulers, and running them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bullworks.board import BoardModule, BoardService, board_app
from bullworks.board.pages import cron_changes
from bullworks.board.security import Access
from bullworks.bullmq import Queue
from bullworks.core import create_application, dynamic_module
from bullworks.schedule import CronJob, SchedulerRegistry
from bullworks.schedule.journal.redis_journal import RedisJournal
from bullworks.schedule.journal.scripts import Instance
from bullworks.web import WebModule
from bullworks.workers import BullModule
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.waiting import eventually

NASTY = "<img src=x onerror=alert(1)>"
NIGHTLY = "0 3 * * *"


@asynccontextmanager
async def schedule(queue: Queue[Any], *jobs: CronJob, name: str = "here:1") -> AsyncIterator[SchedulerRegistry]:
    """A schedule that runs, and is recorded in the Redis of the queue."""

    async def connect() -> Any:
        return queue.connection

    await queue.wait_until_ready()
    registry = SchedulerRegistry()
    journal = RedisJournal(connect, records_all=True, instance=Instance("token", name))
    registry.use(journal, None)
    for job in jobs:
        assert job.name is not None
        registry.add_cron_job(job.name, job)
    registry.open()
    yield registry
    await registry.close(1)
    await journal.close()


@pytest.fixture
def crons_of(queue: Queue[Any]) -> Callable[..., BoardClient]:
    """A board that has these crons."""

    def make(registry: SchedulerRegistry, **options: Any) -> BoardClient:
        app = board_app(queues=[queue], **options)
        app.board.crons = registry
        return BoardClient(app)

    return make


async def done() -> None:
    pass


async def test_a_cron_of_this_process_is_run_and_its_run_is_shown(
    crons_of: Callable[..., BoardClient], queue: Queue[Any], key_prefix: str
) -> None:
    runs: list[int] = []

    async def report() -> None:
        runs.append(1)

    name = f"{key_prefix} report/nightly"
    job = CronJob(NIGHTLY, report, name=name, time_zone="Europe/Paris")
    job.start()
    async with schedule(queue, job, name="here:42") as registry:
        client = crons_of(registry)
        page = (await client.get("-/schedules")).text
        assert f"<code>{NIGHTLY}</code> Europe/Paris" in page
        path = f"-/api/crons/{key_prefix}%20report%2Fnightly/run"
        assert f'data-path="{path}"' in page
        answer = await client.change("PUT", path)
        assert answer.status_code == 200
        assert answer.json()["message"].startswith("ran in ")
        assert runs == [1]

        async def is_shown() -> bool:
            return "here:42" in (await client.get("-/schedules")).text

        await eventually(is_shown)
        trail = (await client.get("-/audit")).text
        assert "run-cron" in trail
        assert name in trail
    # another board knows it by its records, with its next run and no button
    page = (await crons_of(SchedulerRegistry()).get("-/schedules")).text
    row = page[page.index(name) :].partition("</tr>")[0]
    assert f"<code>{NIGHTLY}</code> Europe/Paris" in row
    assert "data-path" not in row
    assert "another process&#39;s" in row or "another process's" in row


async def test_a_failed_run_says_what_kind_of_error_and_no_more(
    crons_of: Callable[..., BoardClient], queue: Queue[Any], key_prefix: str
) -> None:
    async def fail() -> None:
        raise ValueError("s3cret")

    async with schedule(queue, CronJob(NIGHTLY, fail, name=f"{key_prefix}-fails")) as registry:
        answer = await crons_of(registry).change("PUT", f"-/api/crons/{key_prefix}-fails/run")
        assert answer.status_code == 409
        assert answer.json()["message"] == "it failed: ValueError"


async def test_a_long_run_goes_on_after_the_answer_and_is_not_begun_twice(
    crons_of: Callable[..., BoardClient], queue: Queue[Any], key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cron_changes, "WAIT_S", 0.02)
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        await may_end.wait()
        ended.set()

    job = CronJob(NIGHTLY, long, name=f"{key_prefix}-long", wait_for_completion=True)
    async with schedule(queue, job) as registry:
        client = crons_of(registry)
        answer = await client.change("PUT", f"-/api/crons/{key_prefix}-long/run")
        assert answer.status_code == 202
        assert "still running" in answer.json()["message"]
        assert "runs here" in (await client.get("-/schedules")).text
        assert (await client.change("PUT", f"-/api/crons/{key_prefix}-long/run")).status_code == 409
        may_end.set()
        async with asyncio.timeout(10):
            await ended.wait()
    assert (await crons_of(registry).change("PUT", f"-/api/crons/{key_prefix}-long/run")).status_code == 409


async def test_a_cron_is_run_only_by_who_may(
    crons_of: Callable[..., BoardClient], queue: Queue[Any], key_prefix: str
) -> None:
    name = f"{key_prefix}-mine"

    def may(access: Access) -> bool:
        return not (access.action == "run-cron" and access.job == name)

    async with schedule(queue, CronJob(NIGHTLY, done, name=name)) as registry:
        for options, status in (({"policy": may}, 403), ({"read_only": True}, 405)):
            client = crons_of(registry, **options)
            assert f"-/api/crons/{name}/run" not in (await client.get("-/schedules")).text
            assert (await client.change("PUT", f"-/api/crons/{name}/run")).status_code == status
        client = crons_of(registry)
        assert (await client.change("PUT", "-/api/crons/unknown/run")).status_code == 404
        forged = await client.http.put(client.address(f"-/api/crons/{name}/run"), json={})
        assert forged.status_code == 403


async def test_a_board_that_stands_alone_says_that_it_has_no_crons(board: MakeBoard) -> None:
    client = board()
    assert "has no crons of its own" in (await client.get("-/schedules")).text
    assert (await client.change("PUT", "-/api/crons/any/run")).status_code == 404


async def test_job_schedulers_are_shown_with_their_next_job_and_run(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.upsert_job_scheduler("report/1", {"every": 3_600_000}, {"name": "report"})
    await queue.upsert_job_scheduler("nightly", {"pattern": NIGHTLY, "tz": "Europe/Paris", "limit": 5})
    client = board()
    page = (await client.get("-/schedules")).text
    assert "every 1.0 h" in page
    assert f"<code>{NIGHTLY}</code> Europe/Paris" in page
    assert "job?queue=email&amp;id=repeat%3Anightly%3A" in page
    assert 'data-path="api/queues/email/job-schedulers/report%2F1/run"' in page
    before = await queue.get_waiting_count()
    assert (await client.change("PUT", "api/queues/email/job-schedulers/report%2F1/run")).status_code == 200
    assert await queue.get_waiting_count() == before + 1
    assert "job-schedulers" not in (await board(read_only=True).get("-/schedules")).text


async def test_hostile_names_are_shown_as_text(
    crons_of: Callable[..., BoardClient], queue: Queue[Any], key_prefix: str
) -> None:
    async def fail() -> None:
        raise ValueError(NASTY)

    await queue.upsert_job_scheduler(NASTY, {"every": 60_000}, {"name": NASTY})
    async with schedule(queue, CronJob(NIGHTLY, fail, name=f"{key_prefix}{NASTY}"), name=NASTY) as registry:
        (job,) = registry.get_cron_jobs().values()
        await job.fire_on_tick()
        client = crons_of(registry)

        async def is_shown() -> bool:
            return "ValueError: &lt;img" in (await client.get("-/schedules")).text

        await eventually(is_shown)
        assert "<img" not in (await client.get("-/schedules")).text


async def test_schedulers_of_a_queue_that_one_may_not_see_are_not_there(
    board: MakeBoard, open_queue: OpenQueue, queue: Queue[Any]
) -> None:
    secret = open_queue("secret")
    await secret.upsert_job_scheduler("hidden-one", {"every": 60_000}, {"name": "x"})

    def may(access: Access) -> bool:
        return access.queue != "secret"

    assert "hidden-one" in (await board(queue, secret).get("-/schedules")).text
    assert "hidden-one" not in (await board(queue, secret, policy=may).get("-/schedules")).text


async def test_the_board_of_an_application_finds_its_crons(redis_url: str, key_prefix: str) -> None:
    class Root:
        pass

    workers = BullModule.for_root(connection=redis_url, prefix=key_prefix, queues=("email",))
    modules = [workers, WebModule.for_root(port=0), BoardModule.for_root(auth=None)]
    async with create_application(dynamic_module(Root, imports=modules)) as app:
        assert app.get(BoardService).board.crons is app.get(SchedulerRegistry)
