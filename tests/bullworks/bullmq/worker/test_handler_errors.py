"""What a handler raises to say that its job is elsewhere: no attempt is spent, and no failure told."""

import asyncio
import time
from typing import Any

import pytest

from bullworks.bullmq import (
    DelayedError,
    JobSpec,
    RateLimitError,
    SyncJob,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
)
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_job_that_its_handler_delays_comes_back_with_its_attempt(bench: Bench):
    runs: list[tuple[int, int]] = []
    failures: list[Any] = []

    async def process(job: Any) -> str:
        runs.append((job.attempts_made, job.attempts_started))
        if len(runs) == 1:
            await job.move_to_delayed(now_ms() + 50)
            raise DelayedError
        return "later"

    job = await bench.queue.add("a")
    worker = bench.worker(process)
    worker.on("failed", failures.append)
    async with worker:
        await bench.until_in("completed", 1)
    assert runs == [(0, 1), (0, 2)]
    assert failures == []
    assert [event["event"] for event in await bench.events()] == [
        "added", "waiting", "active", "delayed", "waiting", "active", "completed", "drained",
    ]  # fmt: skip
    assert (await bench.hash(job.id))["atm"] == "1"


async def test_a_job_that_its_handler_puts_back_is_the_next(bench: Bench):
    seen: list[str] = []

    async def process(job: Any) -> None:
        seen.append(job.id)
        if seen == [job.id]:
            await job.move_to_wait()
            raise WaitingError

    first, second = await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    async with bench.worker(process):
        await bench.until_in("completed", 2)
    assert seen == [first.id, first.id, second.id]


async def test_a_parent_adds_its_children_and_waits_for_them(bench: Bench):
    async def process(job: Any) -> Any:
        if job.name == "child":
            return job.data
        values = await job.get_children_values()
        if not values:
            for number in range(3):
                await bench.queue.add("child", number, parent={"id": job.id, "queue": f"{bench.prefix}:work"})
            if await job.move_to_waiting_children():
                raise WaitingChildrenError
            values = await job.get_children_values()  # they were faster
        return sorted(values.values())

    parent = await bench.queue.add("parent")
    async with bench.worker(process, concurrency=4):
        await bench.until_in("completed", 4)
    stored = await bench.hash(parent.id)
    assert (stored["returnvalue"], stored["atm"]) == ("[0,1,2]", "1")


async def test_a_job_that_is_turned_away_waits_for_the_limit_at_the_head_of_its_line(bench: Bench):
    runs: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        runs.append((job.id, loop.time()))
        if len(runs) == 1:
            await worker.rate_limit(300)
            raise RateLimitError

    first, second = await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    worker = bench.worker(process)
    async with worker:
        await bench.until_in("completed", 2)
    assert [job_id for job_id, _ in runs] == [first.id, first.id, second.id]
    assert runs[1][1] - runs[0][1] >= 0.28
    stored = await bench.hash(first.id)
    assert (stored["atm"], stored["ats"]) == ("1", "2")
    assert "failedReason" not in stored


@pytest.mark.parametrize("error", [DelayedError, WaitingError, WaitingChildrenError])
async def test_raising_it_without_having_moved_the_job_fails_the_attempt_and_says_so(bench: Bench, error: Any):
    async def process(job: Any) -> None:
        raise error

    job = await bench.queue.add("a")
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == f"{error.__name__} was raised, but the job was not moved"
    assert await bench.ids("active") == []


async def test_a_thread_moves_its_job_too(bench: Bench):
    def process(job: SyncJob) -> str:
        if job.attempts_started == 1:
            job.move_to_delayed(now_ms() + 20)
            assert job.moved_to == "delayed"
            raise DelayedError
        return "later"

    job = await bench.queue.add("a")
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    assert (await bench.hash(job.id))["returnvalue"] == '"later"'


async def test_a_moved_job_that_this_worker_takes_again_keeps_its_new_lock(bench: Bench):
    """The first handler goes on after it has moved the job: its end must not let the second run's lock go."""
    go_on = asyncio.Event()
    started: list[str] = []

    async def process(job: Any) -> str:
        started.append(job.token)
        if len(started) == 1:
            await job.move_to_wait()
            await go_on.wait()
            raise WaitingError
        go_on.set()
        await asyncio.sleep(0.5)
        return "second"

    job = await bench.queue.add("a")
    worker = bench.worker(process, concurrency=2, lock_duration=300, stalled_interval=100)
    async with worker:
        await bench.until_in("completed", 1)
    stored = await bench.hash(job.id)
    assert (stored["returnvalue"], stored.get("stc")) == ('"second"', None)


async def test_a_handler_that_goes_on_after_moving_its_job_loses_no_lock(bench: Bench):
    lost: list[Any] = []

    async def process(job: Any) -> None:
        await job.move_to_delayed(now_ms() + 60_000)
        await asyncio.sleep(0.4)
        raise DelayedError

    await bench.queue.add("a")
    worker = bench.worker(process, lock_duration=200)
    worker.on("lock_renewal_failed", lost.append)
    async with worker:
        await bench.until_in("delayed", 1)
        await eventually(lambda: not worker.active_jobs)
    assert lost == []


async def test_a_job_that_was_started_too_often_is_not_run_again(bench: Bench):
    called: list[str] = []

    async def process(job: Any) -> None:
        called.append(job.id)
        raise RuntimeError("again")

    often, twice = await bench.queue.add_bulk([JobSpec("a", attempts=9), JobSpec("b", attempts=9)])
    await bench.command("HSET", bench.key(often.id), "ats", 2)
    async with bench.worker(process, max_started_attempts=2):
        await bench.until_in("failed", 2)
    assert called == [twice.id, twice.id]
    assert (await bench.hash(often.id))["failedReason"] == "job started more than allowable limit"


async def test_an_unrecoverable_error_is_not_a_move(bench: Bench):
    async def process(job: Any) -> None:
        raise UnrecoverableError("never")

    await bench.queue.add("a", attempts=4)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert await bench.ids("delayed") == []
