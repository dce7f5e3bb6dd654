"""A queue's jobs run in this process: the real processor, retries, delays, priorities, events; no server anywhere."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bullworks.bullmq import (
    Backoff,
    CancelSignal,
    DelayedError,
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobExpiredError,
    JobFailedError,
    JobNotFoundError,
    JobSpec,
    JobStateError,
    JobTimeoutError,
    JobWaitTimeoutError,
    LockLostError,
    RateLimitError,
    SyncJob,
    UnrecoverableError,
    WaitingError,
)
from bullworks.testing import NotSimulatedError, QueueHarness
from bullworks.workers import WorkerHost, on_worker_event, process, processor

START_MS = 1_800_000_000_000


def harness_of(handler: Any, **options: Any) -> QueueHarness[Any]:
    return QueueHarness("email", handler, now_ms=START_MS, **options)


def failing(times: int, error: type[Exception] = ConnectionError) -> Any:
    """A handler that fails so often."""
    left = times

    async def handle(job: Job) -> str:
        nonlocal left
        left -= 1
        if left >= 0:
            raise error("not this time")
        return "done"

    return handle


async def test_what_is_added_waits_until_the_harness_is_drained() -> None:
    seen: list[Any] = []

    async def handle(job: Job) -> dict[str, bool]:
        seen.append((job.name, job.data, job.id, job.attempts_started))
        return {"sent": True}

    harness = harness_of(handle)
    job = await harness.add("welcome-email", {"to": "you"})
    assert (await job.get_state(), seen, harness.counts) == ("waiting", [], {"waiting": 1})
    await harness.drain()
    assert seen == [("welcome-email", {"to": "you"}, "1", 1)]
    (done,) = harness.jobs
    assert (done.returnvalue, done.attempts_made, done.finished_on) == ({"sent": True}, 1, START_MS)
    assert harness.counts == {"completed": 1}
    assert harness.events_of(job) == ["added", "waiting", "active", "completed"]
    await harness.drain()
    assert len(seen) == 1


async def test_an_attempt_is_repeated_after_its_backoff_by_the_harness_clock() -> None:
    harness = harness_of(failing(2))
    job = await harness.add("mail", attempts=3, backoff=Backoff.exponential(60_000))
    await harness.drain()
    await job.refresh()
    assert (await job.get_state(), job.attempts_made, job.delay, job.failed_reason) == (
        "delayed",
        1,
        60_000,
        "not this time",
    )
    await harness.advance(59_999)
    assert harness.counts == {"delayed": 1}
    await harness.advance(1)
    assert [error.args for error in harness.errors] == [("not this time",)] * 2
    await harness.advance(timedelta(minutes=2))
    await job.refresh()
    assert (await job.get_state(), job.attempts_made, job.returnvalue) == ("completed", 3, "done")
    assert job.finished_on == START_MS + 180_000 == harness.now_ms
    delays = [event.args["delay"] for event in harness.events if event.name == "delayed"]
    assert delays == [START_MS + 60_000, START_MS + 180_000]


async def test_a_retry_without_backoff_runs_at_once_behind_those_that_wait() -> None:
    order: list[str] = []
    inner = failing(1)

    async def handle(job: Job) -> Any:
        order.append(job.name)
        return await inner(job)

    harness = harness_of(handle)
    await harness.add("first", attempts=2)
    await harness.add("second")
    await harness.drain()
    assert order == ["first", "second", "first"]
    assert harness.counts == {"completed": 2}


async def test_an_unrecoverable_error_spends_no_further_attempt() -> None:
    harness = harness_of(failing(1, UnrecoverableError))
    job = await harness.add("mail", attempts=3, backoff=1_000)
    await harness.drain_all()
    (failed,) = harness.jobs_in("failed")
    assert (failed.id, failed.attempts_made, failed.failed_reason) == (job.id, 1, "not this time")
    assert len(failed.stacktrace) == 1


async def test_a_job_whose_attempts_are_used_up_has_failed_for_good() -> None:
    harness = harness_of(failing(9))
    job = await harness.add("mail", attempts=2, backoff=1_000)
    await harness.drain_all()
    assert harness.now_ms == START_MS + 1_000
    assert await job.is_failed()
    assert harness.events_of(job)[-2:] == ["failed", "retries_exhausted"]


async def test_a_backoff_strategy_of_ones_own_is_asked() -> None:
    asked: list[Any] = []

    def strategy(attempts_made: int, kind: str, error: BaseException, job: Job) -> int:
        asked.append((attempts_made, kind, str(error), job.name))
        return 5_000 * attempts_made

    harness = harness_of(failing(2), backoff_strategy=strategy)
    await harness.add("mail", attempts=3, backoff={"type": "mine"})
    await harness.drain_all()
    assert asked == [(1, "mine", "not this time", "mail"), (2, "mine", "not this time", "mail")]
    assert harness.now_ms == START_MS + 15_000
    assert harness.counts == {"completed": 1}


async def test_delayed_jobs_run_at_their_time_in_the_order_in_which_they_are_due() -> None:
    ran: list[tuple[str, int]] = []

    async def handle(job: Job) -> None:
        ran.append((job.name, harness.now_ms - START_MS))

    harness = harness_of(handle)
    await harness.add("late", delay=2_000)
    await harness.add("early", delay=500)
    await harness.add("now")
    await harness.drain()
    assert ran == [("now", 0)]
    await harness.advance(10_000)
    assert ran == [("now", 0), ("early", 500), ("late", 2_000)]
    assert harness.now_ms == START_MS + 10_000


async def test_a_job_whose_time_is_over_by_the_harness_clock_is_failed_unrun() -> None:
    ran: list[str] = []

    async def handle(job: Job) -> None:
        ran.append(job.name)

    harness = harness_of(handle)
    late = await harness.add("late", {}, expires=timedelta(minutes=1))
    in_time = await harness.add("in time", {}, delay=60_000, expires=1_000)
    await harness.queue.pause()
    await harness.advance(60_000)
    await harness.queue.resume()
    await harness.drain()
    assert (ran, harness.counts) == (["in time"], {"failed": 1, "completed": 1})
    assert [type(error) for error in harness.errors] == [JobExpiredError]
    await late.refresh()
    assert late.failed_reason is not None
    assert "expired, it was to start before 2027-01-15 08:01:00+00:00" in late.failed_reason
    assert in_time.expires_on == START_MS + 61_000


async def test_priorities_and_lifo_decide_who_is_next() -> None:
    order: list[str] = []

    async def handle(job: Job) -> None:
        order.append(job.name)

    harness = harness_of(handle)
    for name, options in (
        ("low", {"priority": 9}),
        ("high", {"priority": 1}),
        ("plain", {}),
        ("low, later", {"priority": 9}),
        ("last in", {"lifo": True}),
    ):
        await harness.add(name, **options)
    await harness.drain()
    assert order == ["last in", "plain", "high", "low", "low, later"]


async def test_as_many_run_at_once_as_the_processor_says() -> None:
    running, most = 0, 0

    async def handle(job: Job) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    for concurrency in (1, 3):
        most = 0
        harness = harness_of(handle, concurrency=concurrency)
        await harness.queue.add_bulk([JobSpec("x") for _ in range(7)])
        await harness.drain()
        assert (most, harness.counts) == (concurrency, {"completed": 7})


async def test_progress_logs_and_data_are_kept_with_the_job() -> None:
    async def handle(job: Job) -> None:
        await job.update_progress(50)
        await job.log("half way")
        await job.update_data({"n": 2})

    harness = harness_of(handle)
    job = await harness.add("x", {"n": 1})
    await harness.drain()
    await job.refresh()
    assert (job.progress, job.data, await job.logs()) == (50, {"n": 2}, ["half way"])
    (progress,) = [event for event in harness.events if event.name == "progress"]
    assert (progress.args, progress.job_id, progress.at_ms) == ({"job_id": job.id, "data": 50}, job.id, START_MS)


@processor("email", concurrency=2, timeout=50)
class EmailWorker(WorkerHost):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def process(self, job: Job) -> Any:
        match job.name:
            case "slow":
                await asyncio.sleep(30)
            case "bad":
                raise ValueError("no such address")
        await job.update_progress(100)
        return self.worker.active_jobs[0].name

    @on_worker_event("active")
    def on_active(self, job: Job, prev: str) -> None:
        self.heard.append(("active", job.id, prev))

    @on_worker_event("completed")
    async def on_completed(self, job: Job, result: Any) -> None:
        await asyncio.sleep(0)
        self.heard.append(("completed", job.id, result, job.returnvalue))

    @on_worker_event("failed")
    def on_failed(self, job: Job | None, error: BaseException) -> None:
        assert job is not None
        self.heard.append(("failed", job.id, str(error), job.attempts_made))

    @on_worker_event("progress")
    def on_progress(self, job: Job, progress: Any) -> None:
        self.heard.append(("progress", job.id, progress))


async def test_a_host_hears_its_worker_events_and_has_its_worker() -> None:
    host = EmailWorker()
    harness: QueueHarness[Any] = QueueHarness("email", host)
    await harness.add("good")
    await harness.drain()
    await harness.add("bad")
    await harness.drain()
    assert host.heard == [
        ("active", "1", "waiting"),
        ("progress", "1", 100),
        ("completed", "1", "good", "good"),
        ("active", "2", "waiting"),
        ("failed", "2", "no such address", 1),
    ]


async def test_the_processors_options_hold_and_the_harness_own_go_first() -> None:
    harness: QueueHarness[Any] = QueueHarness("email", EmailWorker())
    await harness.add("slow")
    await harness.drain()
    assert [type(error) for error in harness.errors] == [JobTimeoutError]
    quicker: QueueHarness[Any] = QueueHarness("email", EmailWorker(), timeout=1)
    await quicker.add("slow")
    await quicker.drain()
    assert str(quicker.errors[0]) == str(JobTimeoutError("1", 1))


async def test_methods_by_job_name_and_sync_ones_run_as_in_a_worker() -> None:
    @processor("email")
    class ByName(WorkerHost):
        @process("shout")
        def shout(self, job: SyncJob) -> str:
            job.update_progress(10)
            return str(job.data).upper()

        @process("whisper")
        async def whisper(self, job: Job) -> str:
            return str(job.data).lower()

    harness: QueueHarness[Any] = QueueHarness("email", ByName())
    await harness.add("shout", "Hello")
    await harness.add("whisper", "Hello")
    await harness.add("sing", "Hello")
    await harness.drain()
    assert [job.returnvalue for job in harness.jobs_in("completed")] == ["HELLO", "hello"]
    (failed,) = harness.jobs_in("failed")
    assert "no handler for jobs named 'sing'; there are: shout, whisper" in str(failed.failed_reason)


async def test_a_job_that_a_handler_adds_runs_in_the_same_call() -> None:
    async def handle(job: Job) -> None:
        if job.data:
            await harness.add("next", job.data - 1)

    harness = harness_of(handle)
    await harness.add("first", 3)
    await harness.drain()
    assert [job.data for job in harness.jobs] == [3, 2, 1, 0]
    assert harness.counts == {"completed": 4}


async def test_a_handler_may_wait_for_another_job_that_has_a_free_slot() -> None:
    async def handle(job: Job) -> Any:
        if job.name == "child":
            return 21
        child = await harness.add("child")
        return 2 * await child.wait_until_finished(ttl=5_000)

    harness = harness_of(handle, concurrency=2)
    parent = await harness.add("parent")
    assert await parent.wait_until_finished(ttl=5_000) == 42


async def test_whoever_waits_for_a_job_has_it_run() -> None:
    harness = harness_of(failing(1), default_job_options={"remove_on_complete": True})
    job = await harness.add("x", attempts=2)
    assert await job.wait_until_finished(ttl=5_000) == "done"
    with pytest.raises(JobNotFoundError):
        await job.wait_until_finished(ttl=5_000)
    bad = harness_of(failing(1))
    with pytest.raises(JobFailedError, match="not this time"):
        await (await bad.add("x")).wait_until_finished(ttl=5_000)


async def test_who_waits_for_a_delayed_job_waits_until_time_passes() -> None:
    harness = harness_of(failing(0))
    job = await harness.add("x", delay=60_000)
    with pytest.raises(JobWaitTimeoutError):
        await job.wait_until_finished(ttl=10)
    waiting = asyncio.create_task(job.wait_until_finished(ttl=5_000))
    await asyncio.sleep(0)
    await harness.advance(60_000)
    assert await waiting == "done"


async def test_a_paused_queue_runs_nothing_until_it_is_resumed() -> None:
    harness = harness_of(failing(0))
    await harness.queue.pause()
    job = await harness.add("x")
    await harness.add("later", delay=1_000)
    await harness.advance(5_000)
    assert (await job.get_state(), await harness.queue.is_paused()) == ("waiting", True)
    await harness.queue.resume()
    await harness.drain()
    assert harness.counts == {"completed": 2}
    assert [event.name for event in harness.events if event.job_id is None][:2] == ["paused", "resumed"]


async def test_a_handler_that_is_turned_away_is_tried_again_when_the_limit_is_over() -> None:
    tries: list[int] = []

    @processor("email")
    class Limited(WorkerHost):
        async def process(self, job: Job) -> None:
            tries.append(harness.now_ms - START_MS)
            if len(tries) == 1:
                await self.worker.rate_limit(30_000)
                raise RateLimitError

    harness = harness_of(Limited())
    job = await harness.add("x")
    await harness.drain()
    assert (tries, await job.get_state()) == ([0], "waiting")
    await harness.advance(60_000)
    await job.refresh()
    assert (tries, job.attempts_made, job.attempts_started) == ([0, 30_000], 1, 2)


async def test_a_handler_may_move_its_job() -> None:
    async def handle(job: Job) -> str | None:
        if job.data == "later" and job.attempts_started == 1:
            await job.move_to_delayed(harness.now_ms + 10_000)
            raise DelayedError
        if job.data == "again" and job.attempts_started == 1:
            await job.move_to_wait()
            raise WaitingError
        if job.data == "children":
            assert await job.move_to_waiting_children() is False
        return "done"

    harness = harness_of(handle)
    for data in ("later", "again", "children"):
        await harness.add("x", data)
    await harness.drain()
    assert harness.counts == {"delayed": 1, "completed": 2}
    await harness.drain_all()
    assert harness.now_ms == START_MS + 10_000
    assert [(job.attempts_made, job.attempts_started) for job in harness.jobs] == [(1, 2), (1, 2), (1, 1)]


async def test_only_the_lock_of_a_job_ends_it_and_ending_it_by_hand_is_enough() -> None:
    async def handle(job: Job) -> None:
        with pytest.raises(LockLostError):
            await job.move_to_failed(ValueError("no"), "another token")
        assert await job.extend_lock("another token", 1_000) is False
        assert await job.extend_lock(job.token or "", 1_000) is True
        assert await job.get_children_values() == {}
        with pytest.raises(NotSimulatedError, match="takes a job by hand"):
            await job.move_to_completed("by hand", fetch_next=True)
        await job.move_to_completed("by hand")
        with pytest.raises(LockLostError):
            await job.move_to_completed("again")

    harness = harness_of(handle)
    job = await harness.add("x")
    await harness.drain()
    assert await job.wait_until_finished(ttl=5_000) == "by hand"


async def test_a_rate_limit_may_be_lifted() -> None:
    harness = harness_of(failing(1))
    await harness.queue.rate_limit(60_000)
    job = await harness.add("x")
    await harness.drain()
    assert await job.is_waiting()
    assert await harness.queue.remove_rate_limit_key() is True
    assert await harness.queue.remove_rate_limit_key() is False
    await harness.drain()
    with pytest.raises(JobFailedError):
        await job.wait_until_finished(ttl=5_000)


async def test_a_job_that_runs_is_cancelled_from_elsewhere_and_not_tried_again() -> None:
    async def handle(job: Job) -> None:
        if job.name == "sleeps":
            await asyncio.sleep(30)
        else:
            assert await harness.queue.cancel(sleeping.id, "the user left") == "requested"

    harness = harness_of(handle, concurrency=2)
    sleeping = await harness.add("sleeps", attempts=3)
    await harness.add("cancels")
    await harness.drain()
    (failed,) = harness.jobs_in("failed")
    assert (failed.id, failed.failed_reason, failed.is_cancelled) == (sleeping.id, "cancelled: the user left", True)
    assert harness.events_of(sleeping) == ["added", "waiting", "active", "cancel-requested", "failed"]


async def test_a_job_that_cancels_itself_and_moves_is_failed_by_who_takes_it_next() -> None:
    async def handle(job: Job, signal: CancelSignal) -> None:
        await job.cancel("no use")
        await job.move_to_delayed(START_MS + 60_000)
        raise DelayedError

    harness = harness_of(handle)
    await harness.add("a")
    await harness.drain()
    assert [job.failed_reason for job in harness.jobs_in("failed")] == ["cancelled: no use"]


async def test_a_job_that_is_cancelled_fails_with_the_reason() -> None:
    @processor("email")
    class Cancelling(WorkerHost):
        async def process(self, job: Job) -> None:
            assert self.worker.cancel_job(job.id, "the user left")
            await asyncio.sleep(30)

    harness = harness_of(Cancelling())
    job = await harness.add("x")
    await harness.drain()
    await job.refresh()
    assert "the user left" in str(job.failed_reason)


async def test_what_is_removed_by_its_options_is_still_in_jobs() -> None:
    harness = harness_of(failing(1))
    failed = await harness.add("bad", remove_on_fail={"count": 0})
    removed = await harness.add("gone", remove_on_complete=True)
    kept = [await harness.add("kept", remove_on_complete=2) for _ in range(3)]
    await harness.drain()
    assert [job.name for job in harness.jobs] == ["bad", "gone", "kept", "kept", "kept"]
    assert [await job.get_state() for job in (failed, removed, *kept)] == ["unknown"] * 3 + ["completed"] * 2
    assert harness.jobs[1].returnvalue == "done"
    assert harness.counts == {"unknown": 3, "completed": 2}
    assert await harness.queue.get_job(removed.id) is None


async def test_old_jobs_are_removed_by_age() -> None:
    harness = harness_of(failing(0))
    options: dict[str, Any] = {"remove_on_complete": {"age": 60}}
    first = await harness.add("x", **options)
    await harness.drain()
    await harness.advance(61_000)
    second = await harness.add("x", **options)
    await harness.drain()
    assert [await job.get_state() for job in (first, second)] == ["unknown", "completed"]


async def test_a_job_id_and_a_deduplication_id_stand_for_one_job() -> None:
    harness = harness_of(failing(0))
    queue = harness.queue
    first = await harness.add("x", 1, job_id="a")
    assert (await harness.add("x", 2, job_id="a")).id == first.id
    once = await harness.add("y", deduplication={"id": "only"})
    assert (await harness.add("y", deduplication={"id": "only"})).id == once.id
    assert await queue.get_deduplication_job_id("only") == once.id
    await harness.drain()
    assert (await harness.add("y", deduplication={"id": "only"})).id != once.id
    throttled = await harness.add("z", deduplication={"id": "often", "ttl": 5_000})
    await harness.drain()
    assert (await harness.add("z", deduplication={"id": "often", "ttl": 5_000})).id == throttled.id
    await harness.advance(5_000)
    again = await harness.add("z", deduplication={"id": "often", "ttl": 5_000})
    assert again.id != throttled.id
    assert await queue.remove_deduplication_key("often") is True
    assert await queue.remove_deduplication_key("often") is False
    assert await again.remove_deduplication_key() is False
    names = [event.name for event in harness.events]
    assert (names.count("duplicated"), names.count("deduplicated")) == (1, 2)


async def test_a_removed_job_gives_its_ids_free() -> None:
    harness = harness_of(failing(0))
    job = await harness.add("x", 1, job_id="a", deduplication={"id": "only"})
    await job.remove()
    await job.remove()
    again = await harness.add("x", 2, job_id="a", deduplication={"id": "only"})
    assert again.id == "a"
    assert [job.data for job in harness.jobs] == [2]


async def test_the_queue_shows_and_changes_what_a_queue_shows_and_changes() -> None:
    harness = harness_of(failing(0))
    queue = harness.queue
    one, two = await queue.add_bulk([JobSpec("one"), JobSpec("two")])
    late = await harness.add("late", delay=5_000)
    high = await harness.add("high", priority=3)
    assert await queue.get_job_counts("waiting", "delayed", "prioritized") == {
        "waiting": 2,
        "delayed": 1,
        "prioritized": 1,
    }
    assert [job.id for job in await queue.get_waiting()] == [one.id, two.id]
    assert [job.id for job in await queue.get_jobs("waiting")] == [two.id, one.id]
    assert [job.id for job in await queue.get_jobs("waiting", 0, 0)] == [two.id]
    await two.change_priority(priority=1)
    await high.change_priority(priority=1, lifo=True)
    assert [job.id for job in await queue.get_prioritized()] == [high.id, two.id]
    await late.change_delay(1_000)
    await late.promote()
    with pytest.raises(JobStateError):
        await late.promote()
    assert [job.id for job in await queue.get_waiting()] == [one.id, late.id]
    await one.log("a")
    assert await one.log("b") == 2
    assert (await queue.get_job_logs(one.id, asc=False)).logs == ["b", "a"]
    await queue.clear_job_logs(one.id, 1)
    assert await one.logs() == ["b"]
    assert await queue.remove(one.id) is True
    assert await queue.count() == 3
    await harness.add("later", delay=5_000)
    await queue.promote_jobs()
    assert await queue.get_delayed_count() == 0
    await queue.drain()
    assert await queue.count() == 0
    await queue.wait_until_ready()
    await queue.close()
    assert "harness" in repr(queue).lower()


async def test_a_finished_job_may_be_retried() -> None:
    harness = harness_of(failing(1))
    job = await harness.add("x")
    await harness.drain()
    await job.retry(reset_attempts_made=True, reset_attempts_started=True)
    assert await job.get_state() == "waiting"
    await harness.drain()
    await job.refresh()
    assert (job.returnvalue, job.attempts_made, job.attempts_started) == ("done", 1, 1)
    with pytest.raises(JobStateError):
        await job.retry("failed")


async def test_who_adds_and_handles_meets_the_engines_own_errors() -> None:
    async def unstorable(job: Job) -> Any:
        return object()

    harness = harness_of(unstorable)
    with pytest.raises(InvalidOptionError, match="did you mean attempts"):
        await harness.add("x", attemps=3)  # type: ignore[call-arg]
    with pytest.raises(InvalidPayloadError, match=r"\$\.at is a object"):
        await harness.add("x", {"at": object()})
    assert harness.jobs == []
    job = await harness.add("x", attempts=3)
    await harness.drain()
    await job.refresh()
    assert "the handler's result cannot be stored" in str(job.failed_reason)
    with pytest.raises(JobNotFoundError):
        await harness.queue.update_job_progress("none", 1)


async def test_jobs_of_a_drain_that_is_cancelled_wait_again() -> None:
    hangs = asyncio.Event()

    async def handle(job: Job) -> None:
        hangs.set()
        await asyncio.sleep(30)

    harness = harness_of(handle)
    job = await harness.add("x")
    draining = asyncio.create_task(harness.drain())
    await hangs.wait()
    assert await job.is_active()
    assert await harness.queue.remove(job.id) is False
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    assert (await job.get_state(), len(harness.events_of(job))) == ("waiting", 4)


async def test_two_drains_at_once_run_each_job_once() -> None:
    harness = harness_of(failing(0))
    await harness.queue.add_bulk([JobSpec("x") for _ in range(5)])
    await asyncio.gather(harness.drain(), harness.drain())
    assert [job.attempts_started for job in harness.jobs] == [1] * 5
