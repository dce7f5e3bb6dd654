"""Random lives of workers with batches: every job ends, and what a worker holds comes back to nothing."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bullworks.bullmq import (
    Batch,
    DelayedError,
    Job,
    JobSpec,
    QueueError,
    RateLimitError,
    UnrecoverableError,
    Worker,
)
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually

_JOBS = 400
_A_STEP = 50


def handler(chance: random.Random) -> Callable[[list[Job]], Coroutine[Any, Any, Any]]:
    """One that takes its time, fails, or gives its jobs all kinds of outcomes."""

    async def outcome(job: Job) -> Any:
        kind = chance.random()
        if kind < 0.05:
            return ValueError("once more")
        if kind < 0.06:
            return UnrecoverableError("never")
        if kind > 0.08:
            return job.id
        try:
            await job.move_to_delayed(int(time.time() * 1000) + 20)
        except QueueError as error:  # cancelled, or lost
            return error
        return DelayedError()

    async def process(jobs: list[Job]) -> Any:
        kind = chance.random()
        if kind < 0.2:
            await asyncio.sleep(chance.random() * 0.02)
        if kind > 0.9:
            raise ValueError("all")
        if kind > 0.85:
            raise RateLimitError
        return [await outcome(job) for job in jobs]

    return process


async def disturb(bench: Bench, chance: random.Random, ids: list[str], start: Callable[[], Worker]) -> None:
    """Do one of the things that happen to queues and workers."""
    worker = chance.choice(bench.workers)
    match chance.randrange(7):
        case 0:
            await bench.queue.cancel_many(chance.sample(ids, 20), "enough")
        case 1:
            await worker.pause(do_not_wait_active=True)
            worker.resume()
        case 2:
            worker.concurrency = chance.choice([1, 2, 4])
        case 3:
            await bench.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        case 4:
            await bench.queue.pause()
            await asyncio.sleep(0.01)
            await bench.queue.resume()
        case 5:
            bench.workers.remove(worker)
            await worker.close(chance.choice([0, 5, 1_000]))
            await start().start()
        case _:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("seed", "batch"),
    [(1, Batch(size=3)), (2, Batch(size=60)), (3, Batch(size=20, min_size=7, max_wait=20))],
    ids=["small", "more than a trip", "with a least size"],
)
async def test_all_jobs_end_and_no_place_or_lock_is_left(bench: Bench, seed: int, batch: Batch):
    chance = random.Random(seed)
    timing = {"lock_duration": 2_000, "stalled_interval": 500, "timeout": 50}

    def start() -> Worker:
        return bench.worker(handler(chance), batch=batch, concurrency=chance.choice([1, 2, 3]), **timing)

    for worker in (start(), start()):
        await worker.start()
    ids: list[str] = []
    for _ in range(_JOBS // _A_STEP):
        timeouts = [chance.choice([None, None, None, 3]) for _ in range(_A_STEP)]
        jobs = [JobSpec("row", {}, attempts=4, priority=chance.choice([0, 0, 1]), timeout=each) for each in timeouts]
        ids += [job.id for job in await bench.queue.add_bulk(jobs)]
        await disturb(bench, chance, ids, start)

    async def all_ended() -> bool:
        return await bench.queue.get_job_count_by_types("completed", "failed") == _JOBS

    await eventually(all_ended, what="all jobs to end")
    for worker in bench.workers:
        intake = worker._engine._jobs.intake
        await eventually(lambda intake=intake: intake.busy == 0 and not intake.locks, what=f"{vars(intake)}")
        assert worker.active_jobs == []
    assert await bench.command("KEYS", bench.key("*:lock")) == []
