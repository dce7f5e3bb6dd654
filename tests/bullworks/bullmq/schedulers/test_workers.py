"""Real workers on schedules that tick fast."""

from __future__ import annotations

import asyncio
import itertools
import logging
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.bullmq.scripts.scheduler import NEXT_ITERATION, SchedulerScripts
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.redis.errors import ConnectionLostError
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.schedulers.conftest import Clockwork
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.proxy import FaultProxy, runs
from tests.bullworks.reliability.worker_process import WorkerProcess
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

TICK_MS = 100


def due_ms(job: Job) -> int:
    return int(job.id.rpartition(":")[2])


def check_unbroken(jobs: list[Job], every_ms: int) -> None:
    """Each job's time is the one after that of the job before: past ones are skipped only if it was added too late."""
    in_order = sorted(jobs, key=due_ms)
    for last, job in itertools.pairwise(in_order):
        expected = due_ms(last) + every_ms
        while expected < job.timestamp:
            expected += every_ms
        assert due_ms(job) == expected, f"after {last.id}, added {job.timestamp}: {job.id}"


@pytest.mark.kill
async def test_two_processes_one_killed_run_each_time_once_and_miss_none(
    queue: Queue, redis_url: str, key_prefix: str, clockwork: Clockwork, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    timing = {"lock_duration": 500, "stalled_interval": 200}
    doomed = WorkerProcess(redis_url, key_prefix, "q", ledger.path, run_ms=5, **timing)
    survivor = WorkerProcess(redis_url, key_prefix, "q", ledger.path, run_ms=5, **timing)
    with doomed, survivor:
        await eventually(lambda: queue.connection.execute("EXISTS", queue.keys.of("stalled-check")))
        await queue.upsert_job_scheduler("tick", {"every": TICK_MS})
        await eventually(lambda: len(ledger.ids("end")) >= 12, what=f"12 ticks; {doomed.log}{survivor.log}")
        doomed.kill()
        ticks = len(ledger.ids("end"))
        await eventually(lambda: len(ledger.ids("end")) >= ticks + 18, what=f"18 more; {survivor.log}")
        await queue.remove_job_scheduler("tick")

        async def is_quiet() -> bool:
            counts = await queue.get_job_counts("active", "waiting", "delayed")
            return not any(counts.values())

        await eventually(is_quiet, what="the last job to end")
        jobs = await queue.get_completed()
    stalled = {job.id for job in jobs if job.stalled_counter}
    twice = {job_id for job_id, count in ledger.count("end").items() if count > 1}
    assert twice <= stalled, "only what the killed process had begun may run again"
    assert len(stalled) <= 1
    assert set(ledger.ids("end")) == {job.id for job in jobs}
    assert await queue.get_failed() == []
    check_unbroken(jobs, TICK_MS)
    ledger.close()


async def test_the_next_job_is_there_before_the_handler_starts(
    queue: Queue, redis_url: str, key_prefix: str, clockwork: Clockwork
) -> None:
    seen: list[list[str]] = []

    async def process(job: Job) -> None:
        seen.append([job.id, *await clockwork.pending("s")])

    job = await queue.upsert_job_scheduler("s", {"every": 60_000})
    async with Worker("q", process, connection=redis_url, prefix=key_prefix):
        await eventually(lambda: seen)
    assert seen == [[job.id, f"repeat:s:{due_ms(job) + 60_000}"]]


async def test_a_handler_that_always_fails_stops_no_schedule(queue: Queue, redis_url: str, key_prefix: str) -> None:
    attempts: list[str] = []

    async def process(job: Job) -> None:
        attempts.append(job.id)
        raise ValueError("on purpose")

    async with Worker("q", process, connection=redis_url, prefix=key_prefix):
        await queue.upsert_job_scheduler("s", {"every": TICK_MS, "limit": 6}, {"opts": {"attempts": 2}})

        async def failed() -> list[Job]:
            jobs = await queue.get_failed()
            return jobs if len(jobs) == 6 else []

        jobs = await eventually(failed)
    assert sorted(attempts) == sorted(job.id for job in jobs for _ in range(2))
    check_unbroken(jobs, TICK_MS)


async def test_a_paused_queue_runs_what_is_due_once_when_it_is_resumed(
    queue: Queue, redis_url: str, key_prefix: str, clockwork: Clockwork
) -> None:
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.id)

    await queue.pause()
    async with Worker("q", process, connection=redis_url, prefix=key_prefix):
        job = await queue.upsert_job_scheduler("s", {"every": TICK_MS})

        async def has_passed() -> bool:
            return await clockwork.now_ms() > due_ms(job) + 3 * TICK_MS

        await eventually(has_passed)
        assert ran == []
        assert await clockwork.pending("s") == [job.id]
        await queue.resume()
        await eventually(lambda: len(ran) >= 3)
        await queue.remove_job_scheduler("s")
    assert ran[0] == job.id
    assert len(set(ran)) == len(ran)
    check_unbroken([await clockwork.job(job_id) for job_id in ran], TICK_MS)
    assert due_ms(await clockwork.job(ran[1])) > due_ms(job) + 3 * TICK_MS


async def test_a_lost_reply_neither_loses_nor_doubles_the_next_job(
    queue: Queue, redis_server: RedisServer, key_prefix: str
) -> None:
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.id)

    async with FaultProxy(redis_server.port) as proxy:
        proxy.lose_reply(runs(NEXT_ITERATION.sha))
        async with Worker("q", process, connection=proxy.url, prefix=key_prefix, lock_duration=5_000):
            await queue.upsert_job_scheduler("s", {"every": TICK_MS})
            await eventually(lambda: len(ran) >= 5)
            await queue.remove_job_scheduler("s")
        assert proxy.lost
    assert len(set(ran)) == len(ran)
    check_unbroken([job for job_id in ran if (job := await queue.get_job(job_id)) is not None], TICK_MS)


async def test_a_pattern_that_is_none_is_told_and_the_job_runs(
    queue: Queue, redis_url: str, key_prefix: str, clockwork: Clockwork, caplog: pytest.LogCaptureFixture
) -> None:
    job = await queue.upsert_job_scheduler("s", {"pattern": "0 0 1 1 *", "immediately": True})
    look = clockwork.keyspace
    opts = (await look.hash(job.id))["opts"].replace("0 0 1 1 *", "FREQ=DAILY")
    await look.command("HSET", look.key(job.id), "opts", opts)

    async def process(job: Job) -> None: ...

    async with Worker("q", process, connection=redis_url, prefix=key_prefix):
        await eventually(lambda: look.ids("completed"))
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "FREQ=DAILY" in record.getMessage()
    assert await clockwork.pending("s") == []


async def test_closing_hands_back_a_job_whose_successor_redis_never_took(
    queue: Queue, redis_url: str, key_prefix: str, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def never(*_: Any) -> None:
        began.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ScheduleKeeper, "keep", never)
    job = await queue.upsert_job_scheduler("s", {"every": 60_000})
    ran: list[str] = []
    async with Worker("q", lambda job: ran.append(job.id), connection=redis_url, prefix=key_prefix) as worker:
        await asyncio.wait_for(began.wait(), 10)
        await worker.close(0)
    assert ran == []
    assert await clockwork.pending("s") == [job.id]


class Refusing(SchedulerScripts):
    """Scripts that fail with these errors, and then answer."""

    def __init__(self, queue: Queue, *errors: Exception) -> None:
        super().__init__(queue.connection, queue.keys)
        self.errors = list(errors)

    async def next_iteration(self, *args: Any) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return await super().next_iteration(*args)


async def test_the_keeper_tries_until_redis_takes_it(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    job = await clockwork.take_unkept()
    errors = ServerError("OOM command not allowed"), ConnectionLostError("there", "it broke"), ServerError("LOADING")
    await asyncio.wait_for(ScheduleKeeper(Refusing(queue, *errors), "q").keep(job), 10)
    assert await clockwork.pending("s") == [f"repeat:s:{due_ms(job) + 60_000}"]


async def test_the_keeper_gives_up_where_redis_holds_something_else(
    queue: Queue, clockwork: Clockwork, caplog: pytest.LogCaptureFixture
) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    job = await clockwork.take_unkept()
    await clockwork.keyspace.spoil("repeat")
    await asyncio.wait_for(ScheduleKeeper(queue.scripts, "q").keep(job), 10)
    assert f"job {job.id}: its scheduler s makes no further jobs" in caplog.text
    assert "WRONGTYPE" in caplog.text
