"""What becomes of a job when its handler returns, raises, or should not have been called."""

import asyncio
import json
from typing import Any

import pytest

from bullworks.bullmq.errors import JobTimeoutError, UnrecoverableError
from bullworks.bullmq.queue.bulk import JobSpec
from tests.bullworks.bullmq.worker.conftest import Bench


async def test_a_result_is_stored_with_the_times_and_counts_of_its_run(bench: Bench):
    async def process(job: Any) -> Any:
        return {"sent": job.data["to"]}

    job = await bench.queue.add("mail", {"to": "a@b"})
    async with bench.worker(process, name="w1"):
        await bench.until_in("completed", 1)
    stored = await bench.hash(job.id)
    assert json.loads(stored["returnvalue"]) == {"sent": "a@b"}
    assert (stored["atm"], stored["ats"], stored["pb"]) == ("1", "1", "w1")
    assert int(stored["finishedOn"]) >= int(stored["processedOn"]) >= int(stored["timestamp"])
    assert [event["event"] for event in await bench.events()] == ["added", "waiting", "active", "completed", "drained"]


async def test_a_failing_job_is_tried_again_and_keeps_each_trace(bench: Bench):
    seen: list[int] = []

    async def process(job: Any) -> str:
        seen.append(job.attempts_made)
        if job.attempts_made < 2:
            raise RuntimeError(f"no {job.attempts_made}")
        return "ok"

    job = await bench.queue.add("flaky", {}, attempts=3)
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    stored = await bench.hash(job.id)
    assert seen == [0, 1, 2]
    assert (stored["atm"], stored["ats"], stored["failedReason"]) == ("3", "3", "no 1")
    traces = json.loads(stored["stacktrace"])
    assert [trace.strip().splitlines()[-1] for trace in traces] == ["RuntimeError: no 0", "RuntimeError: no 1"]


async def test_the_last_failure_is_final_and_says_that_attempts_are_used_up(bench: Bench):
    async def process(job: Any) -> None:
        raise ValueError("boom")

    job = await bench.queue.add("bad", {}, attempts=2)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    stored = await bench.hash(job.id)
    assert (stored["atm"], stored["failedReason"]) == ("2", "boom")
    events = await bench.events()
    assert [event["event"] for event in events].count("retries-exhausted") == 1
    assert [event for event in events if event["event"] == "failed"] == [
        {"event": "failed", "jobId": job.id, "failedReason": "boom", "prev": "active"}
    ]


async def test_an_unrecoverable_error_spends_all_attempts_at_once(bench: Bench):
    async def process(job: Any) -> None:
        raise UnrecoverableError("never")

    job = await bench.queue.add("bad", {}, attempts=5)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["atm"] == "1"
    assert "retries-exhausted" not in [event["event"] for event in await bench.events()]


async def test_backoff_puts_the_job_into_delayed_until_it_is_due(bench: Bench):
    runs: list[float] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        runs.append(loop.time())
        if len(runs) == 1:
            raise RuntimeError("once")

    await bench.queue.add("slow", {}, attempts=2, backoff=300)
    async with bench.worker(process):
        delayed = await bench.until_in("delayed", 1)
        assert (await bench.hash(delayed[0]))["delay"] == "300"
        await bench.until_in("completed", 1)
    assert runs[1] - runs[0] >= 0.29


@pytest.mark.parametrize(("delay", "state"), [(-1, "failed"), (0, "completed")])
async def test_a_custom_backoff_decides_the_delay_or_the_end(bench: Bench, delay: int, state: str):
    asked: list[tuple[Any, ...]] = []

    async def strategy(attempts_made: int, kind: str, error: BaseException, job: Any) -> int:
        asked.append((attempts_made, kind, str(error), job.name))
        return delay

    async def process(job: Any) -> None:
        if job.attempts_made == 0:
            raise RuntimeError("first")

    await bench.queue.add("own", {}, attempts=2, backoff={"type": "mine"})
    async with bench.worker(process, backoff_strategy=strategy):
        await bench.until_in(state, 1)
    assert asked == [(1, "mine", "first", "own")]


async def test_a_backoff_type_that_nobody_defines_fails_the_job_and_says_so(bench: Bench):
    async def process(job: Any) -> None:
        raise RuntimeError("first")

    job = await bench.queue.add("own", {}, attempts=2, backoff={"type": "mine"})
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    reason = (await bench.hash(job.id))["failedReason"]
    assert "backoff type 'mine'" in reason
    assert "first" in reason


async def test_a_result_that_is_no_json_fails_the_job_and_is_not_tried_again(bench: Bench):
    async def process(job: Any) -> Any:
        return {"at": object()}

    job = await bench.queue.add("odd", {}, attempts=3)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    stored = await bench.hash(job.id)
    assert "$.at is a object" in stored["failedReason"]
    assert stored["atm"] == "1"


@pytest.mark.parametrize(("field", "value"), [("data", "{not json"), ("opts", "nope"), ("data", b"\xff")])
async def test_a_job_that_cannot_be_read_ends_failed_and_does_not_cycle(bench: Bench, field: str, value: Any):
    called: list[Any] = []
    job = await bench.queue.add("broken", {}, attempts=3)
    await bench.command("HSET", bench.key(job.id), field, value)
    good = await bench.queue.add("good", {})
    async with bench.worker(called.append, concurrency=5):
        assert await bench.until_in("failed", 1) == [job.id]
        assert await bench.until_in("completed", 1) == [good.id]
    assert "not JSON" in (await bench.hash(job.id))["failedReason"]
    assert await bench.ids("active") == []


async def test_a_timeout_fails_the_attempt_and_frees_the_slot(bench: Bench):
    cancelled: list[str] = []
    errors: list[BaseException] = []

    async def process(job: Any) -> str:
        if job.name == "quick":
            return "ok"
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(job.id)
            raise
        return "never"

    slow = await bench.queue.add("slow", {}, timeout=50)
    await bench.queue.add("quick", {})
    worker = bench.worker(process)
    worker.on("failed", lambda job, error: errors.append(error))
    async with worker:
        await bench.until_in("completed", 1)
    assert cancelled == [slow.id]
    assert isinstance(errors[0], JobTimeoutError)
    assert "50 ms" in (await bench.hash(slow.id))["failedReason"]


async def test_a_timeout_inside_the_handler_is_the_handlers_own_error(bench: Bench):
    async def process(job: Any) -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(30)

    job = await bench.queue.add("own", {}, timeout=10_000)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "TimeoutError"


async def test_a_handler_that_leaks_a_cancellation_fails_its_job_only(bench: Bench):
    async def process(job: Any) -> str:
        if job.name == "leak":
            inner = asyncio.ensure_future(asyncio.sleep(30))
            inner.cancel()
            await inner
        return "ok"

    await bench.queue.add_bulk([JobSpec("leak", {}), JobSpec("fine", {})])
    async with bench.worker(process):
        await bench.until_in("failed", 1)
        await bench.until_in("completed", 1)
    assert await bench.ids("active") == []


async def test_a_handler_that_calls_exit_fails_its_job_only(bench: Bench):
    async def process(job: Any) -> None:
        if job.name == "exit":
            raise SystemExit(3)

    exits, fine = await bench.queue.add_bulk([JobSpec("exit", {}), JobSpec("fine", {})])
    async with bench.worker(process):
        assert await bench.until_in("failed", 1) == [exits.id]
        assert await bench.until_in("completed", 1) == [fine.id]
    assert await bench.ids("active") == []


async def test_finished_jobs_are_kept_as_the_job_says_else_as_the_worker_does(bench: Bench):
    async def process(job: Any) -> None: ...

    specs = [JobSpec("n", {}) for _ in range(5)] + [JobSpec("gone", {}, remove_on_complete=True)]
    jobs = await bench.queue.add_bulk(specs)
    async with bench.worker(process, remove_on_complete=3):
        await bench.until_in("completed", 3)
        await bench.worker_idle()
    assert await bench.ids("completed") == [job.id for job in jobs[2:5]]
    assert await bench.command("EXISTS", *(bench.key(job.id) for job in (*jobs[:2], jobs[5]))) == 0


async def test_jobs_past_their_age_are_removed_by_the_next_finish(bench: Bench):
    async def process(job: Any) -> None: ...

    old = await bench.queue.add("old", {})
    async with bench.worker(process):
        await bench.until_in("completed", 1)
        await bench.command("ZADD", bench.key("completed"), 1, old.id)
        new = await bench.queue.add("new", {}, remove_on_complete={"age": 60})
        await bench.until_in("completed", 1)
        await bench.worker_idle()
    assert await bench.ids("completed") == [new.id]
    assert await bench.hash(old.id) == {}
