"""What an observer of a worker is told of each attempt."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import Job
from bullworks.bullmq.job.outcome import Outcome
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


async def test_each_attempt_is_told_once_it_is_stored_with_how_it_ended_and_how_long_it_took(bench: Bench) -> None:
    seen: list[Outcome] = []

    async def process(job: Job[Any, Any]) -> str:
        if job.name == "bad" and job.attempts_made == 0:
            raise ValueError("at first")
        if job.name == "worse":
            raise ValueError("always")
        return "ok"

    worker = bench.worker(process)
    worker.measure(seen.append)
    await bench.queue.add("good")
    await bench.queue.add("bad", attempts=2)
    await bench.queue.add("worse")
    async with worker:
        await eventually(lambda: len(seen) == 4)
    assert sorted((outcome.job.name, outcome.kind) for outcome in seen) == [
        ("bad", "complete"), ("bad", "retry"), ("good", "complete"), ("worse", "fail"),
    ]  # fmt: skip
    assert all(0 <= outcome.duration_ms < 5_000 for outcome in seen)
