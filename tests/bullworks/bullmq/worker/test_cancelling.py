"""Cancelling a handler that runs: it is told where it listens, and stopped where it does not; its slot survives."""

import asyncio
import threading
import time
from functools import partial
from typing import Any

import pytest

from bullworks.bullmq import CancelSignal, JobCancelledError, JobSpec, SyncJob, UnrecoverableError
from bullworks.bullmq.worker.processor import takes_signal
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


async def test_a_handler_that_takes_the_signal_is_told_and_ends_as_it_likes(bench: Bench):
    seen: list[Any] = []

    async def process(job: Any, signal: CancelSignal) -> str:
        seen.append(signal.aborted)
        seen.append(await signal.wait())
        return "tidied up"

    job = await bench.queue.add("a")
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: seen == [False])
        assert worker.cancel_job(job.id, "enough")
        await bench.until_in("completed", 1)
        assert not worker.cancel_job(job.id)
    assert seen == [False, "enough"]
    assert (await bench.hash(job.id))["returnvalue"] == '"tidied up"'


async def test_a_told_handler_that_raises_is_tried_again(bench: Bench):
    async def process(job: Any, signal: CancelSignal) -> str:
        if job.attempts_made:
            return "second time"
        await signal.wait()
        signal.throw_if_aborted()
        return "never"

    job = await bench.queue.add("a", attempts=2)
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(job.id, "enough"))
        await bench.until_in("completed", 1)
    stored = await bench.hash(job.id)
    assert (stored["atm"], stored["failedReason"], stored["returnvalue"]) == ("2", "enough", '"second time"')


async def test_a_handler_that_does_not_listen_is_stopped_and_its_slot_takes_the_next_job(bench: Bench):
    told: list[BaseException] = []
    cleaned_up: list[str] = []

    async def process(job: Any) -> str:
        if job.name == "next":
            return "ok"
        try:
            await asyncio.sleep(30)
        finally:
            cleaned_up.append(job.id)
        return "never"

    stopped, following = await bench.queue.add_bulk([JobSpec("slow"), JobSpec("next")])
    worker = bench.worker(process)
    worker.on("failed", lambda job, error: told.append(error))
    async with worker:
        await eventually(lambda: worker.active_jobs)
        assert worker.cancel_job(stopped.id, "enough")
        assert await bench.until_in("failed", 1) == [stopped.id]
        assert await bench.until_in("completed", 1) == [following.id]
    assert cleaned_up == [stopped.id]
    assert (await bench.hash(stopped.id))["failedReason"] == "enough"
    assert isinstance(told[0], JobCancelledError)


async def test_without_a_reason_the_failure_says_that_it_was_cancelled(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a")
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(job.id))
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == f"job {job.id} was cancelled"


async def test_an_unrecoverable_reason_ends_the_job(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a", attempts=5)
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(job.id, UnrecoverableError("wrong address")))
        await bench.until_in("failed", 1)
    stored = await bench.hash(job.id)
    assert (stored["failedReason"], stored["atm"]) == ("wrong address", "1")


async def test_reading_the_jobs_signal_counts_as_listening(bench: Bench):
    async def process(job: Any) -> Any:
        return await job.signal.wait()

    job = await bench.queue.add("a")
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(job.id, "enough"))
        await bench.until_in("completed", 1)
    assert (await bench.hash(job.id))["returnvalue"] == '"enough"'


async def test_all_are_cancelled_at_once(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(5)])
    worker = bench.worker(process, concurrency=5)
    async with worker:
        await eventually(lambda: len(worker.active_jobs) == 5)
        worker.cancel_all_jobs("all of you")
        assert sorted(await bench.until_in("failed", 5)) == [job.id for job in jobs]
        assert not worker.cancel_job(jobs[0].id)
    assert {(await bench.hash(job.id))["failedReason"] for job in jobs} == {"all of you"}


async def test_a_handler_that_goes_on_completes_and_its_slot_is_not_harmed(bench: Bench):
    async def process(job: Any) -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        return "all the same"

    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(3)])
    worker = bench.worker(process)
    async with worker:
        for job in jobs:
            await eventually(partial(worker.cancel_job, job.id))
        assert await bench.until_in("completed", 3) == [job.id for job in jobs]


async def test_a_handler_may_cancel_its_own_job(bench: Bench):
    async def process(job: Any) -> str:
        assert worker.cancel_job(job.id, "by itself")
        if job.name == "waits":
            await asyncio.sleep(30)
        return "had ended"

    ended, waits, following = await bench.queue.add_bulk([JobSpec("ends"), JobSpec("waits"), JobSpec("ends")])
    worker = bench.worker(process)
    async with worker:
        assert await bench.until_in("completed", 2) == [ended.id, following.id]
        assert await bench.until_in("failed", 1) == [waits.id]


async def test_a_timeout_and_a_cancellation_do_not_disturb_each_other(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    slow, cancelled = await bench.queue.add_bulk([JobSpec("n", timeout=100), JobSpec("n", timeout=20_000)])
    worker = bench.worker(process, concurrency=2)
    async with worker:
        await eventually(lambda: worker.cancel_job(cancelled.id, "enough"))
        await bench.until_in("failed", 2)
    assert "100 ms" in (await bench.hash(slow.id))["failedReason"]
    assert (await bench.hash(cancelled.id))["failedReason"] == "enough"


async def test_a_backoff_strategy_under_way_is_not_interrupted(bench: Bench):
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def strategy(*_: Any) -> int:
        asked.set()
        await go_on.wait()
        return -1

    async def process(job: Any) -> None:
        raise RuntimeError("its own")

    job = await bench.queue.add("a", attempts=3, backoff={"type": "mine"})
    worker = bench.worker(process, backoff_strategy=strategy)
    async with worker:
        await asyncio.wait_for(asked.wait(), 5)
        assert not worker.cancel_job(job.id, "too late")
        go_on.set()
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "its own"


async def test_closing_hands_back_a_job_whose_handler_was_cancelled_too(bench: Bench):
    async def process(job: Any) -> None:
        while not released.is_set():
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                if released.is_set():
                    raise

    released = asyncio.Event()
    job = await bench.queue.add("stubborn")
    worker = bench.worker(process)
    await worker.start()
    await eventually(lambda: worker.cancel_job(job.id))
    later = asyncio.get_running_loop().call_later(0.7, released.set)
    await worker.close(grace=10)
    later.cancel()
    assert await bench.ids("wait") == [job.id]


async def test_a_thread_that_looks_at_its_signal_is_told(bench: Bench):
    def process(job: SyncJob) -> str:
        begun.set()
        return f"told: {job.signal.reason}" if job.signal.wait_in_thread(5_000) else "not told"

    begun = threading.Event()
    job = await bench.queue.add("a")
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: begun.is_set() and worker.active_jobs[0].offer_signal().is_watched)
        assert worker.cancel_job(job.id, "enough")
        await bench.until_in("completed", 1)
    assert (await bench.hash(job.id))["returnvalue"] == '"told: enough"'


async def test_a_thread_may_take_the_signal_as_an_argument(bench: Bench):
    def process(job: SyncJob, signal: CancelSignal) -> None:
        deadline_s = time.monotonic() + 5
        while not signal.aborted and time.monotonic() < deadline_s:
            signal.wait_in_thread(10)
        signal.throw_if_aborted()

    job = await bench.queue.add("a")
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(job.id, "enough"))
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "enough"


async def test_a_thread_that_does_not_listen_fails_at_once_and_keeps_its_slot(bench: Bench, caplog: Any):
    def process(job: SyncJob) -> str:
        if job.name == "slow":
            release.wait(10)
        return "ok"

    release = threading.Event()
    slow, following = await bench.queue.add_bulk([JobSpec("slow"), JobSpec("next")])
    worker = bench.worker(process)
    async with worker:
        await eventually(lambda: worker.cancel_job(slow.id, "enough"))
        assert await bench.until_in("failed", 1) == [slow.id]
        assert await bench.ids("wait") == [following.id]
        assert "keeps its slot" in caplog.text
        release.set()
        await bench.until_in("completed", 1)
    assert (await bench.hash(slow.id))["failedReason"] == "enough"


class Host:
    async def process(self, job: Any, signal: CancelSignal) -> None: ...

    async def __call__(self, job: Any, signal: CancelSignal) -> None: ...


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        (lambda job: None, False),
        (lambda job, signal: None, True),
        (lambda job, stop: None, True),
        (lambda job, signal=None: None, True),
        (lambda job, retries=3: None, False),
        (lambda *args: None, False),
        (lambda job, *, signal=None: None, False),
        (Host().process, True),
        (Host(), True),
        (partial(lambda first, job: None, 1), False),
        (print, False),
    ],
)
def test_a_second_argument_that_is_needed_or_called_signal_is_the_signal(processor: Any, expected: bool):
    assert takes_signal(processor) is expected
