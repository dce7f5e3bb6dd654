"""Removing, retrying and promoting jobs."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import (
    InvalidOptionError,
    JobLockedError,
    JobNotFoundError,
    JobStateError,
    Queue,
    SchedulerJobError,
)
from bullworks.bullmq.scripts.job import PROMOTE_JOB, REMOVE_JOB, REPROCESS_JOB
from bullworks.bullmq.scripts.queue import RETRY_JOBS
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


async def test_a_removed_job_leaves_nothing_but_an_event(queue: Queue, keyspace: Keyspace) -> None:
    job = await queue.add("a")
    await job.log("row")
    await job.remove()
    assert await keyspace.keys() == ["events", "id", "marker", "meta"]
    assert await keyspace.events("removed") == [{"event": "removed", "jobId": "1", "prev": "wait"}]


async def test_removing_a_job_that_is_gone_is_fine(queue: Queue, keyspace: Keyspace) -> None:
    job = await queue.add("a")
    await job.remove()
    await job.remove()
    assert await queue.remove(job.id) is True
    assert len(await keyspace.events("removed")) == 1


async def test_a_job_that_a_worker_runs_is_not_removed(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    await hand.take()
    with pytest.raises(JobLockedError, match="job 1: a worker is running it, so remove was refused"):
        await job.remove()
    assert await queue.remove(job.id) is False
    await hand.complete()
    assert await queue.remove(job.id) is True
    assert await job.get_state() == "unknown"


async def test_what_a_vanished_worker_left_active_can_be_removed(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await queue.add("a")
    await hand.take()
    await keyspace.command("DEL", keyspace.key("1:lock"))
    await keyspace.command("SADD", keyspace.key("stalled"), "1")
    assert await queue.remove("1") is True
    assert await keyspace.keys() == ["events", "id", "marker", "meta"]


async def test_each_place_is_left_and_named(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    for finishing in (hand.complete, hand.fail):
        await queue.add("a")
        await hand.take()
        await finishing()
    await queue.add("a")
    await queue.add("a", None, priority=1)
    await queue.add("a", None, delay=60_000)
    await keyspace.command("HSET", keyspace.key("orphan"), "name", "a")
    for job_id in ("1", "2", "3", "4", "5", "orphan"):
        assert await queue.remove(job_id) is True
    removed = [event["prev"] for event in await keyspace.events("removed")]
    assert removed == ["completed", "failed", "wait", "prioritized", "delayed", "unknown"]
    assert sum((await queue.get_job_counts()).values()) == 0


async def test_the_iteration_that_a_scheduler_needs_is_not_removed(queue: Queue, keyspace: Keyspace) -> None:
    job_id = "repeat:nightly:9000000000000"
    await keyspace.command("ZADD", keyspace.key("repeat"), 9_000_000_000_000, "nightly")
    await keyspace.command("HSET", keyspace.key(job_id), "name", "n", "rjk", "nightly")
    await keyspace.command("LPUSH", keyspace.key("wait"), job_id)
    with pytest.raises(SchedulerJobError, match="remove the scheduler"):
        await queue.remove(job_id)
    assert await keyspace.ids("wait") == [job_id]
    # One that has run is no longer needed.
    await keyspace.command("ZADD", keyspace.key("repeat"), 9_000_000_060_000, "nightly")
    assert await queue.remove(job_id) is True


async def test_the_remove_script_answers_with_each_of_its_codes(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await queue.add("a")
    await queue.add("b")
    await hand.take()
    await keyspace.command("ZADD", keyspace.key("repeat"), 5, "s")
    await keyspace.command("HSET", keyspace.key("repeat:s:5"), "name", "n", "rjk", "s")
    answers = [
        await queue.connection.run(REMOVE_JOB, (queue.keys.base,), [job_id, "1", state])
        for job_id, state in (("nope", ""), ("1", ""), ("repeat:s:5", ""), ("2", "failed"), ("2", ""))
    ]
    assert answers == [-1, -10, -8, -3, 0]


@pytest.mark.parametrize("state", ["failed", "completed"])
async def test_a_retried_job_waits_as_if_it_had_not_finished(
    queue: Queue, hand: HandWorker, keyspace: Keyspace, state: Any
) -> None:
    await queue.add("a", None, attempts=2)
    await hand.take()
    await (hand.fail("boom") if state == "failed" else hand.complete({"ok": True}))
    job = await queue.get_job("1")
    assert job is not None
    await job.retry(state)
    fields = await keyspace.hash("1")
    assert fields.keys().isdisjoint({"finishedOn", "processedOn", "failedReason", "returnvalue"})
    assert (fields["atm"], fields["ats"]) == ("1", "1")
    assert await job.get_state() == "waiting"
    assert await keyspace.ids("marker") == ["0"]
    assert (await keyspace.events())[-1] == {"event": "waiting", "jobId": "1", "prev": state}
    assert (job.finished_on, job.processed_on, job.failed_reason, job.returnvalue) == (None, None, None, None)
    assert len(job.stacktrace) == (1 if state == "failed" else 0)
    assert await hand.take() == "1"


async def test_attempts_can_be_forgotten(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await queue.add("a")
    await hand.take()
    await hand.fail()
    job = await queue.get_job("1")
    assert job is not None
    await job.retry(reset_attempts_made=True, reset_attempts_started=True)
    assert (await keyspace.hash("1")).keys().isdisjoint({"atm", "ats"})
    assert (job.attempts_made, job.attempts_started) == (0, 0)


async def test_a_retried_job_goes_where_its_options_say(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    for job_id, opts in (("lifo", {"lifo": True}), ("prio", {"priority": 3})):
        await queue.add("a", None, job_id=job_id, **opts)  # type: ignore[arg-type]
        await hand.take()
        await hand.fail()
    await queue.add("a", None, job_id="first")
    for job_id in ("lifo", "prio"):
        job = await queue.get_job(job_id)
        assert job is not None
        await job.retry()
    assert await keyspace.ids("wait") == ["first", "lifo"]
    assert await keyspace.ids("prioritized") == ["prio"]


async def test_a_job_that_was_failed_for_stalling_runs_when_retried(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    """With the deferred failure left in place, the next worker would fail it again unseen."""
    await queue.add("a")
    await hand.take()
    await keyspace.command("HSET", keyspace.key("1"), "defa", "job stalled more than allowable limit")
    await hand.fail()
    job = await queue.get_job("1")
    assert job is not None
    await job.retry()
    assert "defa" not in await keyspace.hash("1")
    assert job.deferred_failure is None


async def test_a_job_elsewhere_is_not_retried(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    with pytest.raises(JobStateError, match="job 1: retry needs it to be failed"):
        await job.retry()
    await hand.take()
    await hand.complete()
    with pytest.raises(JobStateError, match="needs it to be failed"):
        await job.retry()
    await job.remove()
    with pytest.raises(JobNotFoundError):
        await job.retry("completed")
    state: Any = "waiting"
    with pytest.raises(InvalidOptionError, match="state waiting"):
        await job.retry(state)


async def test_all_failed_jobs_are_retried_in_steps_and_in_order(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    for i in range(7):
        await queue.add("a", None, job_id=f"j{i}", priority=5 if i == 3 else 0)
        await hand.take()
        await hand.fail()
    await keyspace.command("ZADD", keyspace.key("failed"), 1, "ghost")
    assert await queue.retry_jobs(count=2) == 7
    assert (await keyspace.ids("wait"))[::-1] == ["j0", "j1", "j2", "j4", "j5", "j6"]
    assert await keyspace.ids("prioritized") == ["j3"]
    assert await keyspace.ids("failed") == []


async def test_only_what_finished_by_a_given_time_is_retried(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    for finished_ms in (1000, 2000, 3000):
        await queue.add("a")
        await hand.take()
        await hand.complete()
        await keyspace.command("ZADD", keyspace.key("completed"), finished_ms, hand.held)
    assert await queue.retry_jobs("completed", timestamp=2000) == 2
    assert await keyspace.ids("completed") == ["3"]
    assert await queue.retry_jobs("failed") == 0


@pytest.mark.parametrize(("arguments", "message"), [({"state": "waiting"}, "state waiting"), ({"count": 0}, "count: ")])
async def test_bad_arguments_are_refused_by_name(queue: Queue, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        await queue.retry_jobs(**arguments)


async def test_a_promoted_job_waits_at_once(queue: Queue, keyspace: Keyspace) -> None:
    job = await queue.add("a", None, delay=60_000)
    prioritized = await queue.add("p", None, delay=60_000, priority=2)
    await job.promote()
    await prioritized.promote()
    assert (await job.get_state(), await prioritized.get_state()) == ("waiting", "prioritized")
    assert job.delay == 0
    assert (await keyspace.hash(job.id))["delay"] == "0"
    assert "0" in await keyspace.ids("marker")


async def test_a_job_that_is_not_delayed_is_not_promoted(queue: Queue) -> None:
    job = await queue.add("a")
    with pytest.raises(JobStateError, match="job 1: promote needs it to be delayed"):
        await job.promote()
    await job.remove()
    with pytest.raises(JobNotFoundError):
        await job.promote()


async def test_the_scripts_that_move_jobs_answer_with_each_of_their_codes(queue: Queue, hand: HandWorker) -> None:
    base = (queue.keys.base,)
    await queue.add("a", None, delay=60_000)
    answers = [await queue.connection.run(PROMOTE_JOB, base, [job_id]) for job_id in ("nope", "1", "1")]
    assert answers == [-1, 0, -3]
    await hand.take()
    await hand.fail()
    flags = ["", "", ""]
    answers = [
        await queue.connection.run(REPROCESS_JOB, base, [job_id, state, *flags])
        for job_id, state in (("nope", "failed"), ("1", "completed"), ("1", "failed"))
    ]
    assert answers == [-1, -3, 0]
    await hand.take()
    await hand.fail()
    moved, taken, until = await queue.connection.run(RETRY_JOBS, base, ["failed", 10, ""])
    assert (moved, taken) == (1, 1)
    assert int(until) > 1_700_000_000_000
    assert await queue.connection.run(RETRY_JOBS, base, ["failed", 10, 5]) == [0, 0, b"5"]


async def test_moving_while_paused_wakes_nobody(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await queue.add("a")
    await hand.take()
    await hand.fail()
    delayed = await queue.add("d", None, delay=60_000)
    await queue.pause()
    failed = await queue.get_job("1")
    assert failed is not None
    await failed.retry()
    await delayed.promote()
    assert await keyspace.ids("marker") == []
    assert await keyspace.ids("wait") == [delayed.id, "1"]


@pytest.mark.parametrize("spoilt", ["wait", "prioritized", "events", "marker"])
async def test_a_destination_of_another_type_loses_no_job(
    queue: Queue, hand: HandWorker, keyspace: Keyspace, spoilt: str
) -> None:
    await queue.add("a")
    await hand.take()
    await hand.fail()
    delayed = await queue.add("d", None, delay=60_000)
    failed = await queue.get_job("1")
    assert failed is not None
    await keyspace.spoil(spoilt)
    for move in (failed.retry(), delayed.promote(), queue.retry_jobs(), failed.remove(), queue.clean(0, "failed")):
        with pytest.raises(ServerError, match=f"WRONGTYPE .*:{spoilt} is a"):
            await move
    assert await keyspace.ids("failed") == ["1"]
    assert await keyspace.ids("delayed") == [delayed.id]
