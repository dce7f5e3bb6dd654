"""Removing many jobs: by age (clean), or all that wait (drain)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, JobSpec, Queue
from bullworks.bullmq.scripts.queue import CLEAN, DRAIN
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace

OLD = 1_600_000_000_000


async def finish(queue: Queue, hand: HandWorker, count: int, *, fail: bool = False) -> None:
    await queue.add_bulk(JobSpec("a") for _ in range(count))
    for _ in range(count):
        await hand.take()
        await (hand.fail() if fail else hand.complete())


async def test_clean_removes_finished_jobs_with_all_their_keys(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await queue.add("a")
    await hand.take()
    job = await queue.get_job("1")
    assert job is not None
    await job.log("a line")
    await hand.complete()
    assert await queue.clean(0, "completed") == ["1"]
    assert await keyspace.keys() == ["events", "id", "marker", "meta"]
    assert await keyspace.events("cleaned") == [{"event": "cleaned", "count": "1"}]


async def test_clean_spares_what_is_younger_than_the_grace(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await finish(queue, hand, 3, fail=True)
    await keyspace.command("ZADD", keyspace.key("failed"), OLD, "2")
    assert await queue.clean(timedelta(hours=1), "failed") == ["2"]
    assert await queue.clean(timedelta(hours=1), "failed") == []
    assert [job.id for job in await queue.get_failed()] == ["3", "1"]


async def test_clean_removes_the_oldest_first_up_to_its_limit(queue: Queue, hand: HandWorker) -> None:
    await finish(queue, hand, 5)
    assert await queue.clean(0, "completed", limit=2) == ["1", "2"]
    assert [job.id for job in await queue.get_completed()] == ["5", "4", "3"]


async def test_clean_without_a_limit_goes_through_thousands(queue: Queue) -> None:
    await queue.add_bulk(JobSpec("a") for _ in range(2_345))
    assert len(await queue.clean(0, "waiting")) == 2_345
    assert await queue.get_job_counts("waiting") == {"waiting": 0}


async def test_clean_goes_past_thousands_that_are_too_young(queue: Queue, keyspace: Keyspace) -> None:
    """A job that waits may be old behind many that are not: its age is its own, not its place in line."""
    await queue.add_bulk(JobSpec("young") for _ in range(2_345))
    await queue.add("old", None, job_id="old", timestamp=OLD)
    assert await queue.clean(timedelta(hours=1), "waiting") == ["old"]
    assert await queue.get_job_counts("waiting") == {"waiting": 2_345}
    assert await keyspace.ids("wait") == [str(i) for i in range(2_345, 0, -1)]


async def test_clean_removes_from_between_those_that_are_too_young(queue: Queue, keyspace: Keyspace) -> None:
    """From the nearer end of the list, so that it has to be right from both."""
    await queue.add_bulk(JobSpec("a", timestamp=OLD) if i % 3 else JobSpec("young") for i in range(1_200))
    assert await queue.clean(timedelta(hours=1), "waiting") == [str(i + 1) for i in range(1_199, -1, -1) if i % 3]
    assert await keyspace.ids("wait") == [str(i + 1) for i in range(1_197, -1, -3)]


async def test_clean_never_removes_a_job_that_a_worker_holds(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await queue.add("a", None, timestamp=OLD)
    await hand.take()
    assert await queue.clean(0, "active") == []
    await keyspace.command("SADD", keyspace.key("stalled"), "1")
    await keyspace.command("DEL", keyspace.key("1:lock"))
    assert await queue.clean(0, "active") == ["1"]
    assert await keyspace.keys() == ["events", "id", "marker", "meta"]


async def test_the_age_of_a_job_that_ran_before_counts_from_then(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add("a", None, timestamp=OLD)
    await keyspace.command("HSET", keyspace.key("1"), "processedOn", 9_000_000_000_000)
    assert await queue.clean(0, "waiting") == []


async def test_clean_sweeps_up_ids_with_no_job_behind_them(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add("a")
    await keyspace.command("RPUSH", keyspace.key("wait"), "ghost")
    await keyspace.command("SET", keyspace.key("strange"), "no job")
    await keyspace.command("RPUSH", keyspace.key("wait"), "strange")
    assert await queue.clean(timedelta(hours=1), "waiting") == ["ghost", "strange"]
    assert await keyspace.ids("wait") == ["1"]


@pytest.mark.parametrize(
    "state", ["waiting", "wait", "paused", "delayed", "prioritized", "active", "completed", "failed"]
)
async def test_clean_of_an_empty_state_removes_nothing_and_says_so(
    queue: Queue, keyspace: Keyspace, state: Any
) -> None:
    assert await queue.clean(0, state) == []
    assert await keyspace.events() == [{"event": "cleaned", "count": "0"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, "completed"), "grace: "),
        ((1.5, "completed"), "grace: "),
        (("1", "completed"), "grace: "),
        ((0, "complete"), "state complete: unknown option; did you mean state completed"),
        ((0, "waiting-children"), "state waiting-children: unknown option"),
        ((0, None), "state: must be a string"),
        ((0, "completed", -1), "limit: "),
        ((0, "completed", True), "limit: "),
        ((0, "completed", 2.0), "limit: "),
    ],
)
async def test_bad_arguments_are_refused_by_name(queue: Queue, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        await queue.clean(*arguments)


async def test_the_clean_script_says_where_to_go_on(queue: Queue) -> None:
    base = (queue.keys.base,)
    for i in range(6):
        await queue.add("a", None, timestamp=OLD if i % 2 else None)
    hour_ms = 3_600_000
    # Each call looks at two: one too young, which the next must skip, one old.
    assert await queue.connection.run(CLEAN, base, ["wait", hour_ms, 10, 2, 0]) == [1, b"2"]
    assert await queue.connection.run(CLEAN, base, ["wait", hour_ms, 10, 2, 1]) == [2, b"4"]
    assert await queue.connection.run(CLEAN, base, ["wait", hour_ms, 10, 2, 2]) == [3, b"6"]
    assert await queue.connection.run(CLEAN, base, ["wait", hour_ms, 10, 2, 3]) == [-1]


async def test_drain_removes_all_that_waits_and_nothing_else(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await finish(queue, hand, 1)
    await queue.add("a")
    await hand.take()
    await queue.add_bulk(JobSpec("a") for _ in range(1_234))
    await queue.add("p", None, priority=3)
    await queue.add("d", None, delay=60_000, job_id="later")
    await queue.drain()
    counts = await queue.get_job_counts()
    assert {state: count for state, count in counts.items() if count} == {"active": 1, "completed": 1, "delayed": 1}
    assert [key for key in await keyspace.keys() if key.isdecimal()] == ["1", "2"]
    await queue.drain(delayed=True)
    assert await queue.get_job("later") is None


async def test_drain_empties_what_bullmq_5_left_paused(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add("a")
    await queue.pause()
    await keyspace.command("RENAME", keyspace.key("wait"), keyspace.key("paused"))
    await queue.drain()
    assert await keyspace.keys() == ["events", "id", "meta"]


async def a_scheduler(keyspace: Keyspace, state: str, next_ms: int) -> str:
    job_id = f"repeat:nightly:{next_ms}"
    await keyspace.command("ZADD", keyspace.key("repeat"), next_ms, "nightly")
    await keyspace.command("HSET", keyspace.key(job_id), "name", "n", "data", "{}", "rjk", "nightly", "timestamp", OLD)
    if state == "wait":
        await keyspace.command("LPUSH", keyspace.key("wait"), job_id)
    else:
        await keyspace.command("ZADD", keyspace.key(state), 1, job_id)
    return job_id


@pytest.mark.parametrize("state", ["wait", "prioritized", "delayed"])
async def test_the_iteration_that_a_scheduler_needs_survives_clean_and_drain(
    queue: Queue, keyspace: Keyspace, state: Any
) -> None:
    kept = await a_scheduler(keyspace, state, 9_000_000_000_000)
    await queue.add("a", None, delay=60_000)
    await queue.add("a", None, timestamp=OLD)
    await queue.clean(0, state)
    await queue.drain(delayed=True)
    assert await keyspace.ids(state) == [kept]


async def test_the_drain_script_says_what_it_left_and_did_not_look_at(queue: Queue, keyspace: Keyspace) -> None:
    base = (queue.keys.base,)
    await a_scheduler(keyspace, "wait", 9_000_000_000_000)
    for _ in range(4):
        await queue.add("a")
    assert await queue.connection.run(DRAIN, base, ["wait", 3, 0]) == [2, 1, 2]
    assert await queue.connection.run(DRAIN, base, ["wait", 3, 1]) == [2, 0, 0]
    assert await queue.connection.run(DRAIN, base, ["wait", 3, 1]) == [0, 0, 0]
