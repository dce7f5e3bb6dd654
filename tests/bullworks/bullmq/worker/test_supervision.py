"""No internal task of a worker ends unnoticed while the worker runs."""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bullworks.bullmq.events.reader import EventReader
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.queue.bulk import JobSpec
from bullworks.bullmq.scripts.worker import WorkerScripts
from bullworks.bullmq.worker.finisher import Finisher
from bullworks.redis import background
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually

PARTS = ["slot-0", "slot-1", "finisher-0", "finisher-1", "fetcher", "stalled-checker", "reclaimer"]


def task_of(part: str) -> "asyncio.Task[Any] | None":
    return next((task for task in asyncio.all_tasks() if task.get_name() == f"{part}:work"), None)


async def kill(part: str) -> "asyncio.Task[Any]":
    """Cancel the part's task, as nobody but its owner should."""
    await eventually(lambda: task_of(part) is not None, what=f"{part} runs")
    task = task_of(part)
    assert task is not None
    task.cancel()
    return task


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
async def test_a_part_that_is_killed_is_told_of_and_jobs_flow_on(
    bench: Bench, caplog: pytest.LogCaptureFixture, part: str, is_busy: bool
):
    async def process(job: Any) -> None:
        await asyncio.sleep(0.002)

    async with bench.worker(process, concurrency=2, lock_duration=1_000, stalled_interval=300) as worker:
        await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(10)])
        await bench.until_in("completed", 10)
        if is_busy:
            await bench.queue.add_bulk([JobSpec("n", {}, attempts=3) for _ in range(200)])
            await bench.until_in("completed", 30)
        else:
            await bench.blocked_in_redis()
        for _ in range(3):
            killed = await kill(part)
            if part.startswith("slot") and is_busy:
                # Whoever has a handler's task can cancel that handler only.
                await asyncio.sleep(0)
            else:
                await eventually(lambda killed=killed: task_of(part) not in {None, killed}, what=f"{part} is back")
        await bench.queue.add("last", {})
        await bench.until_in("completed", 211 if is_busy else 11)
        assert worker.is_running
    assert await bench.ids("wait") == await bench.ids("active") == await bench.ids("failed") == []
    if not (part.startswith("slot") and is_busy):
        errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert [text for text in errors if text.startswith(f"{part}:work ended")]


async def test_a_lane_that_dies_in_the_midst_of_a_trip_loses_no_outcome(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Both what it sent and what it had fetched are seen to."""
    runs: dict[str, int] = {}

    async def process(job: Any) -> None:
        runs[job.id] = runs.get(job.id, 0) + 1
        await asyncio.sleep(0.001)

    ended = Finisher._end
    killed = 0

    async def end(self: Finisher, trip: Any) -> None:
        nonlocal killed
        if trip.batch and killed < 5 and len(runs) > 20 * killed:
            killed += 1
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await ended(self, trip)

    monkeypatch.setattr(Finisher, "_end", end)
    ids = [job.id for job in await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(200)])]
    async with bench.worker(process, concurrency=10):
        await bench.until_in("completed", 200)
    assert killed == 5
    assert runs == dict.fromkeys(ids, 1)


async def test_a_worker_whose_part_cannot_be_kept_alive_closes_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(background, "_MOST_STARTS", 3)

    async def broken(self: WorkerScripts, block_ms: int) -> None:
        raise AssertionError("no such luck")

    async def process(job: Any) -> None: ...

    monkeypatch.setattr(WorkerScripts, "wait_for_marker", broken)
    told: list[Exception] = []
    worker = bench.worker(process)
    worker.on("error", told.append)
    await worker.start()
    await eventually(lambda: told)
    await eventually(lambda: not worker.is_running)
    await asyncio.wait_for(worker.run(), 10)
    assert "fetcher:work" in str(told[0])
    assert "no such luck" in caplog.text


async def test_an_observer_that_raises_costs_no_outcome(bench: Bench, caplog: pytest.LogCaptureFixture):
    async def process(job: Any) -> None: ...

    def measure(outcome: Any) -> None:
        raise ValueError("cannot count")

    worker = bench.worker(process, concurrency=5)
    worker.measure(measure)
    async with worker:
        await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(20)])
        await bench.until_in("completed", 20)
        await bench.worker_idle()
    assert "cannot count" in caplog.text


async def test_a_reader_of_events_that_is_killed_goes_on_where_it_was(bench: Bench):
    async def process(job: Any) -> str:
        return "done"

    async with bench.worker(process):
        job = await bench.queue.add("n", {})
        assert await job.wait_until_finished(ttl=5_000) == "done"
        await kill("events")
        job = await bench.queue.add("n", {})
        assert await job.wait_until_finished(ttl=5_000) == "done"


def _reader(bench: Bench) -> EventReader:
    return EventReader(bench.queue.connection.endpoint, QueueKeys("work", bench.prefix))


async def _start_and_close_worker(bench: Bench) -> None:
    async def process(job: Any) -> None: ...

    worker = bench.worker(process)
    await asyncio.gather(worker.start(), worker.start())
    await asyncio.gather(worker.close(0), worker.close(0))
    await worker.close(0)


async def _start_and_close_reader(bench: Bench) -> None:
    reader = _reader(bench)
    await asyncio.gather(reader.start(), reader.start())
    await asyncio.gather(reader.close(), reader.close())
    await reader.close()


async def _close_unstarted_worker(bench: Bench) -> None:
    async def process(job: Any) -> None: ...

    await bench.worker(process).close()


async def _close_unstarted_reader(bench: Bench) -> None:
    await _reader(bench).close()


async def _start_and_close_parts(bench: Bench) -> None:
    """Each by itself, as `Engine` would."""

    async def process(job: Any) -> None: ...

    worker = bench.worker(process)
    engine = worker._engine
    jobs = engine._jobs
    for part in (jobs.fetcher, jobs.finisher, jobs.reclaimer, engine.stalled):
        await part.close()
        part.start()
        part.start()
        await asyncio.sleep(0)
        await part.close()
        await part.close()
    await worker.close(0)


LIVES = [
    _start_and_close_worker, _start_and_close_reader, _close_unstarted_worker, _close_unstarted_reader,
    _start_and_close_parts,
]  # fmt: skip


@pytest.mark.parametrize("live", LIVES, ids=lambda live: live.__name__.strip("_"))
async def test_starting_and_closing_over_and_over_leaves_no_task(
    bench: Bench, live: Callable[[Bench], Coroutine[Any, Any, None]]
):
    before = {task.get_name() for task in asyncio.all_tasks()}
    for _ in range(10):
        await live(bench)

    def left() -> set[str]:
        names = {task.get_name() for task in asyncio.all_tasks()} - before
        return {name for name in names if not re.fullmatch(r"Task-\d+", name)}

    await eventually(lambda: not left(), what="no task is left")
