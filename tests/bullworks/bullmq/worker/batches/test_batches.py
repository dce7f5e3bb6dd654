"""A handler is called with many jobs, and each of them ends as if it had been alone."""

import asyncio
import threading
from typing import Any

import pytest

from bullworks.bullmq import (
    Batch,
    DelayedError,
    InvalidOptionError,
    Job,
    JobSpec,
    ProcessPool,
    RateLimitError,
    SyncJob,
    UnrecoverableError,
)
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually

Jobs = list[Job[Any, Any]]


class Calls:
    """A handler that notes what it is called with, and ends when it may.

    Attributes:
        begun: the numbers of the jobs of each call.
        stopped: of those that were cancelled.
    """

    def __init__(self, *, waits: bool = False, answer: Any = None) -> None:
        self.begun: list[list[int]] = []
        self.stopped: list[list[int]] = []
        self.may_end = asyncio.Event()
        self._answer = answer
        if not waits:
            self.may_end.set()

    async def __call__(self, jobs: Jobs) -> Any:
        numbers = [job.data["n"] for job in jobs]
        self.begun.append(numbers)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)  # a transaction that is rolled back
            self.stopped.append(numbers)
            raise
        return self._answer(jobs) if self._answer else None


async def add(bench: Bench, count: int, **opts: Any) -> list[str]:
    jobs = await bench.queue.add_bulk([JobSpec("row", {"n": n}, **opts) for n in range(count)])
    return [job.id for job in jobs]


async def test_a_batch_is_what_is_in_line_up_to_its_size_and_in_its_order(bench: Bench):
    calls = Calls(answer=lambda jobs: [job.data["n"] * 10 for job in jobs])
    ids = await add(bench, 250)
    await bench.worker(calls, batch=Batch(size=100)).start()
    assert set(await bench.until_in("completed", 250)) == set(ids)
    assert [len(numbers) for numbers in calls.begun] == [100, 100, 50]
    assert [n for numbers in calls.begun for n in numbers] == list(range(250))
    assert (await bench.hash(ids[7]))["returnvalue"] == "70"
    names = [event["event"] for event in await bench.events() if event.get("jobId") == ids[7]]
    assert names == ["added", "waiting", "active", "completed"]


async def test_each_job_has_the_outcome_that_the_list_has_for_it(bench: Bench):
    attempts: list[list[int]] = []

    async def process(jobs: Jobs) -> list[Any]:
        attempts.append([job.data["n"] for job in jobs])
        outcomes: dict[int, Any] = {0: "zero", 1: ValueError("again"), 2: UnrecoverableError("never"), 3: None}
        if len(attempts) > 1:
            return ["second" for _ in jobs]
        await jobs[4].move_to_delayed(2**41 - 1)
        return [*(outcomes[n] for n in range(4)), DelayedError()]

    failed: list[tuple[str, str]] = []
    worker = bench.worker(process, batch=Batch(size=10))
    worker.on("failed", lambda job, error: failed.append((job.id, str(error))))
    ids = await add(bench, 5, attempts=3)
    await worker.start()
    await bench.until_in("completed", 3)
    assert attempts == [[0, 1, 2, 3, 4], [1]]
    found = [await bench.hash(job_id) for job_id in ids]
    assert [fields.get("returnvalue") for fields in found] == ['"zero"', '"second"', None, "null", None]
    assert [fields.get("atm") for fields in found] == ["1", "2", "1", "1", None]
    assert await bench.ids("failed") == [ids[2]]
    assert await bench.ids("delayed") == [ids[4]]
    assert sorted(failed) == [(ids[1], "again"), (ids[2], "never")]


async def test_what_a_handler_raises_fails_all_and_each_is_retried_as_its_own_options_say(bench: Bench):
    async def process(jobs: Jobs) -> None:
        if any(job.attempts_made == 0 for job in jobs):
            raise ValueError("the table is locked")

    once = await bench.queue.add("row", {})
    twice = await bench.queue.add("row", {}, attempts=2)
    later = await bench.queue.add("row", {}, attempts=2, backoff=60_000)
    await bench.worker(process, batch=Batch(size=3)).start()
    await bench.until_in("completed", 1)
    assert (await bench.ids("failed"), await bench.ids("completed")) == ([once.id], [twice.id])
    assert await bench.ids("delayed") == [later.id]
    for job in (once, later):
        trace = (await bench.hash(job.id))["stacktrace"]
        assert (trace.count("in process"), trace.count("in _attempt")) == (1, 1)


@pytest.mark.parametrize(
    ("returned", "told"), [([1], "a list of 1"), ("ok", "'ok'"), ({}, "{}")], ids=["too few", "a text", "a dict"]
)
async def test_a_return_that_says_nothing_of_each_job_fails_all_for_good(bench: Bench, returned: Any, told: str):
    await add(bench, 2, attempts=3)
    await bench.worker(Calls(answer=lambda _: returned), batch=Batch(size=2)).start()
    ids = await bench.until_in("failed", 2)
    for job_id in ids:
        reason = (await bench.hash(job_id))["failedReason"]
        assert f"called with 2 jobs and returned {told};" in reason


async def test_a_handler_that_hits_a_limit_has_all_its_jobs_put_back(bench: Bench):
    seen: list[int] = []

    async def process(jobs: Jobs) -> None:
        seen.append(len(jobs))
        if len(seen) == 1:
            await worker.rate_limit(50)
            raise RateLimitError

    worker = bench.worker(process, batch=Batch(size=5))
    ids = await add(bench, 5)
    await worker.start()
    await bench.until_in("completed", 5)
    assert seen == [5, 5]
    assert {(await bench.hash(job_id))["atm"] for job_id in ids} == {"1"}


async def test_a_cancelled_job_leaves_and_the_others_go_on(bench: Bench):
    calls = Calls(waits=True)
    ids = await add(bench, 3, attempts=2)
    worker = bench.worker(calls, batch=Batch(size=3))
    await worker.start()
    await eventually(lambda: calls.begun)
    assert await bench.queue.cancel(ids[1], "the user left") == "requested"
    assert await bench.until_in("failed", 1) == [ids[1]]
    assert calls.stopped == []
    calls.may_end.set()
    assert await bench.until_in("completed", 2) == [ids[0], ids[2]]
    assert (await bench.hash(ids[1]))["failedReason"] == "cancelled: the user left"


async def test_a_handler_whose_jobs_are_all_cancelled_is_stopped(bench: Bench):
    calls = Calls(waits=True)
    ids = await add(bench, 3)
    worker = bench.worker(calls, batch=Batch(size=3))
    await worker.start()
    await eventually(lambda: calls.begun)
    worker.cancel_all_jobs("enough")
    assert sorted(await bench.until_in("failed", 3)) == ids
    assert calls.stopped == [[0, 1, 2]]
    calls.may_end.set()
    await add(bench, 1)
    await bench.until_in("completed", 1)


async def test_a_job_whose_signal_the_handler_has_looked_at_stays_and_ends_as_the_handler_says(bench: Bench):
    looked = asyncio.Event()

    async def process(jobs: Jobs) -> list[Any]:
        signals = [job.signal for job in jobs]
        looked.set()
        await signals[0].wait()
        return [signal.error if signal.aborted else "done" for signal in signals]

    ids = await add(bench, 2)
    await bench.worker(process, batch=Batch(size=2)).start()
    await looked.wait()
    await bench.queue.cancel(ids[0], "no use")
    assert await bench.until_in("completed", 1) == [ids[1]]
    assert await bench.until_in("failed", 1) == [ids[0]]


async def test_the_workers_timeout_is_for_the_call_and_a_jobs_own_for_its_part(bench: Bench):
    calls = Calls(waits=True)
    own = await bench.queue.add("row", {"n": 0}, timeout=20)
    others = [await bench.queue.add("row", {"n": n}) for n in (1, 2)]
    await bench.worker(calls, batch=Batch(size=3), timeout=300).start()
    assert await bench.until_in("failed", 1) == [own.id]
    assert calls.stopped == []
    await bench.until_in("failed", 3)
    assert calls.stopped == [[0, 1, 2]]
    reasons = [(await bench.hash(job.id))["failedReason"] for job in (own, *others)]
    assert [reason.split("timeout of ")[1] for reason in reasons] == ["20 ms", "300 ms", "300 ms"]


async def test_jobs_are_handed_back_once_their_handler_has_ended(bench: Bench):
    calls = Calls(waits=True)
    ids = await add(bench, 5, attempts=2)
    worker = bench.worker(calls, batch=Batch(size=3))
    await worker.start()
    await eventually(lambda: calls.begun)
    await worker.close(0)
    assert calls.stopped == [[0, 1, 2]]
    wait = list(reversed(await bench.ids("wait")))
    assert (set(wait[:3]), wait[3:]) == (set(ids[:3]), ids[3:])
    assert "atm" not in await bench.hash(ids[0])
    assert await bench.command("KEYS", bench.key("*:lock")) == []


async def test_a_running_batch_takes_all_its_places_and_concurrency_counts_batches(bench: Bench):
    calls = Calls(waits=True)
    worker = bench.worker(calls, batch=Batch(size=3), concurrency=2)
    await worker.start()
    await add(bench, 1)
    await eventually(lambda: len(calls.begun) == 1)
    await add(bench, 5)
    await eventually(lambda: len(calls.begun) == 2)
    assert [len(numbers) for numbers in calls.begun] == [1, 3]
    assert len(await bench.ids("active")) == 4
    assert len(await bench.ids("wait")) == 2
    assert len(worker.active_jobs) == 4
    worker.concurrency = 3
    await eventually(lambda: len(calls.begun) == 3)
    calls.may_end.set()
    await bench.until_in("completed", 6)


async def test_fewer_than_the_least_size_are_left_in_line_until_there_are_enough(bench: Bench):
    calls = Calls()
    await bench.worker(calls, batch=Batch(size=5, min_size=3, max_wait=60_000)).start()
    await bench.blocked_in_redis()
    await add(bench, 2)
    await bench.queue.add("row", {"n": 9}, delay=150)
    marker = bench.key("marker")

    async def looked() -> bool:
        return bool(await bench.command("ZSCORE", marker, "0"))

    await eventually(looked, what="the marker to be given back")
    assert len(await bench.ids("wait")) == 2
    assert calls.begun == []
    await bench.until_in("completed", 3)
    assert [len(numbers) for numbers in calls.begun] == [3]
    await add(bench, 13)
    await bench.until_in("completed", 16)
    assert [len(numbers) for numbers in calls.begun] == [3, 5, 5, 3]


async def test_a_batch_smaller_than_the_least_size_is_taken_once_its_wait_is_over(bench: Bench):
    calls = Calls()
    await bench.queue.pause()
    await add(bench, 7)
    await bench.worker(calls, batch=Batch(size=5, min_size=4, max_wait=40), limiter={"max": 4, "duration": 60}).start()
    await bench.blocked_in_redis()
    await bench.queue.resume()
    await bench.until_in("completed", 7)
    assert [len(numbers) for numbers in calls.begun] == [4, 3]


async def test_a_plain_function_gets_sync_jobs_in_a_thread(bench: Bench):
    def process(jobs: list[SyncJob]) -> list[Any]:
        for job in jobs:
            job.update_progress(50)
        return [job.data["n"] if job.data["n"] else ValueError("zero") for job in jobs]

    ids = await add(bench, 3)
    await bench.worker(process, batch=Batch(size=3)).start()
    assert await bench.until_in("completed", 2) == ids[1:]
    assert await bench.until_in("failed", 1) == ids[:1]
    assert (await bench.hash(ids[2]))["progress"] == "50"


async def test_a_thread_that_outlives_its_timeout_keeps_its_place(bench: Bench):
    may_end, begun = threading.Event(), []

    def process(jobs: list[SyncJob]) -> None:
        begun.append(len(jobs))
        may_end.wait(10)

    await add(bench, 2)
    worker = bench.worker(process, batch=Batch(size=2), timeout=20)
    await worker.start()
    await bench.until_in("failed", 2)
    await add(bench, 1)
    assert (begun, worker.active_jobs, len(await bench.ids("wait"))) == ([2], [], 1)
    may_end.set()
    await bench.until_in("completed", 1)
    assert begun == [2, 1]


async def test_a_job_that_cannot_be_read_fails_alone(bench: Bench):
    calls = Calls()
    ids = await add(bench, 3)
    await bench.command("HSET", bench.key(ids[1]), "data", "{")
    await bench.worker(calls, batch=Batch(size=3)).start()
    assert await bench.until_in("completed", 2) == [ids[0], ids[2]]
    assert await bench.ids("failed") == [ids[1]]
    assert calls.begun == [[0, 2]]


async def test_limits_of_queue_and_groups_count_jobs(bench: Bench):
    calls = Calls()
    await bench.queue.set_group_limits("acme", concurrency=2)
    await add(bench, 5, group={"id": "acme"})
    await bench.worker(calls, batch=Batch(size=4)).start()
    await bench.until_in("completed", 5)
    assert max(len(numbers) for numbers in calls.begun) <= 2
    calls.begun.clear()
    await bench.queue.set_global_concurrency(3)
    await add(bench, 6)
    await bench.until_in("completed", 11)
    assert [len(numbers) for numbers in calls.begun] == [3, 3]


async def test_a_job_that_stalled_twice_is_a_batch_of_its_own(bench: Bench):
    calls = Calls()
    ids = await add(bench, 4)
    await bench.command("HSET", bench.key(ids[1]), "stc", "2")
    await bench.worker(calls, batch=Batch(size=4)).start()
    await bench.until_in("completed", 4)
    assert calls.begun == [[0, 2, 3], [1]]


async def test_none_is_lost_where_connections_break(bench: Bench):
    done: list[int] = []

    async def process(jobs: Jobs) -> None:
        await asyncio.sleep(0.005)
        done.extend(job.data["n"] for job in jobs)

    worker = bench.worker(process, batch=Batch(size=20), concurrency=2)
    await worker.start()
    for _ in range(4):
        await add(bench, 100)
        await bench.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await bench.until_in("completed", 400)
    assert await bench.ids("active") == await bench.ids("wait") == []
    assert sorted(set(done)) == list(range(100))


async def one(job: Job) -> None:
    """Takes one job."""


async def two(jobs: Jobs, signal: Any) -> None:
    """Takes more than a list."""


@pytest.mark.parametrize(
    ("processor", "batch", "problem"),
    [
        (one, Batch(size=2), "one(job: bullworks.bullmq.job.job.Job) -> None takes one job"),
        (two, Batch(size=2), "is not a function of a list of jobs alone"),
        ({"a": one}, Batch(size=2), "batch: has one handler for all jobs"),
        (None, Batch(size=2), "batch: needs a processor"),
        (
            ProcessPool("tests.bullworks.bullmq.worker.batches.test_batches:one", size=1),
            Batch(size=2),
            "with a ProcessPool",
        ),
        ("process", Batch(size=2), "must be a function of a list of jobs"),
        (Calls, 100, r"batch: must be a Batch, as in batch=Batch(size=100), not 100"),
    ],
)
async def test_what_cannot_be_called_with_a_batch_is_refused(bench: Bench, processor: Any, batch: Any, problem: str):
    with pytest.raises(InvalidOptionError) as refused:
        bench.worker(processor, batch=batch)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"size": 0}, "batch.size: must be a whole number, 1 .. 1000, not 0"),
        ({"size": 1001}, "batch.size: must be a whole number, 1 .. 1000, not 1001"),
        ({"size": 5, "min_size": 6, "max_wait": 1}, "batch.min_size: must be a whole number, 1 .. 5, not 6"),
        ({"size": 5, "min_size": 2}, "batch.max_wait: must say how long 2 jobs are waited for"),
        ({"size": 5, "max_wait": 10}, "batch.max_wait: goes with min_size= only"),
        ({"size": 5, "min_size": 2, "max_wait": 0}, "batch.max_wait"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(options: Any, problem: str):
    with pytest.raises(InvalidOptionError) as refused:
        Batch(**options)
    assert problem in str(refused.value)
