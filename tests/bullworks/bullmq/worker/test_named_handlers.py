"""A worker with a handler for each name of jobs."""

import threading
from typing import Any

import pytest

from bullworks.bullmq import CancelSignal, InvalidOptionError, Job, SyncJob
from tests.bullworks.bullmq.worker.conftest import Bench


async def test_each_job_goes_to_the_handler_of_its_name_async_or_not(bench: Bench) -> None:
    heard: dict[str, Any] = {}

    async def greet(job: Job, signal: CancelSignal) -> None:
        heard["greet"] = (type(job), signal.aborted)

    def count(job: SyncJob) -> None:
        heard["count"] = (type(job), threading.current_thread() is threading.main_thread())

    async with bench.worker({"greet": greet, "count": count}, concurrency=2):
        await bench.queue.add("greet")
        await bench.queue.add("count")
        await bench.until_in("completed", 2)
    assert heard == {"greet": (Job, False), "count": (SyncJob, False)}


async def test_a_job_of_an_unknown_name_fails_at_once_and_the_known_ones_are_named(bench: Bench) -> None:
    async def greet(job: Job) -> None: ...

    async with bench.worker({"greet": greet, "count": greet}):
        job = await bench.queue.add("great", attempts=5)
        await bench.until_in("failed", 1)
        await job.refresh()
    assert job.failed_reason == "no handler for jobs named 'great'; there are: count, greet"
    assert job.attempts_made == 1


@pytest.mark.parametrize("processor", [{}, {"greet": "not a function"}, "not a function"])
def test_what_is_no_handler_is_refused(bench: Bench, processor: Any) -> None:
    with pytest.raises(InvalidOptionError, match="processor: must"):
        bench.worker(processor)
