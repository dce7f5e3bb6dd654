"""Looking at schedulers, and removing them."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import Queue
from bullworks.bullmq.errors import SchedulerJobError
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.schedulers.conftest import Clockwork

YEARLY = "0 0 1 1 *"


async def test_one_is_read_as_it_was_set(queue: Queue, clockwork: Clockwork) -> None:
    template: Any = {"name": "n", "data": [1], "opts": {"attempts": 3, "remove_on_fail": True}}
    repeat: Any = {
        "pattern": YEARLY,
        "tz": "Asia/Tokyo",
        "limit": 4,
        "start_date": 1_900_000_000_000,
        "end_date": 2_500_000_000_000,
    }
    await queue.upsert_job_scheduler("s", repeat, template)
    scheduler = await queue.get_job_scheduler("s")
    assert scheduler is not None
    assert (scheduler.key, scheduler.id, scheduler.name) == ("s", "s", "n")
    assert (scheduler.pattern, scheduler.tz, scheduler.every, scheduler.limit) == (YEARLY, "Asia/Tokyo", None, 4)
    assert (scheduler.start_date, scheduler.end_date) == (1_900_000_000_000, 2_500_000_000_000)
    assert scheduler.next == await clockwork.due_ms("s") > 1_900_000_000_000
    assert (scheduler.iteration_count, scheduler.offset) == (1, 0)
    assert scheduler.template.data == [1]
    assert (scheduler.template.opts.attempts, scheduler.template.opts.remove_on_fail is not None) == (3, True)
    await queue.upsert_job_scheduler("e", {"every": 5_000})
    every = await queue.get_job_scheduler("e")
    assert every is not None
    assert (every.every, every.offset, every.template.data) == (5_000, every.next % 5_000, None)


async def test_pages_are_by_the_time_of_the_next_job(queue: Queue) -> None:
    for days in (3, 1, 2):
        await queue.upsert_job_scheduler(f"in-{days}", {"every": 5, "start_date": 4_000_000_000_000 + days})

    async def keys(*page: Any, **order: Any) -> list[str]:
        return [scheduler.key for scheduler in await queue.get_job_schedulers(*page, **order)]

    assert await keys() == ["in-3", "in-2", "in-1"]
    assert await keys(asc=True) == ["in-1", "in-2", "in-3"]
    assert await keys(0, 0) == ["in-3"]
    assert await keys(1, 2, True) == ["in-2", "in-3"]
    assert await keys(5, 9) == []
    assert await queue.get_job_schedulers_count() == 3


async def test_one_that_is_not_there_is_none(queue: Queue, clockwork: Clockwork) -> None:
    assert await queue.get_job_scheduler("s") is None
    assert await queue.get_job_schedulers() == []
    assert await queue.get_job_schedulers_count() == 0
    look = clockwork.keyspace
    # A half of one, as a crash of another client may leave it.
    await look.command("ZADD", look.key("repeat"), 5, "only-due")
    await look.command("HSET", look.key("repeat:only-hash"), "name", "n")
    assert await queue.get_job_scheduler("only-due") is None
    assert await queue.get_job_scheduler("only-hash") is None
    assert await queue.get_job_schedulers() == []


async def test_what_others_wrote_is_read_as_far_as_it_makes_sense(queue: Queue, clockwork: Clockwork) -> None:
    look = clockwork.keyspace
    await look.command("ZADD", look.key("repeat"), 5, "odd")
    fields = ("name", b"\xff", "every", "1000.5", "limit", "many", "opts", '{"priority":"x","attempts":2}')
    await look.command("HSET", look.key("repeat:odd"), *fields)
    scheduler = await queue.get_job_scheduler("odd")
    assert scheduler is not None
    assert (scheduler.name, scheduler.every, scheduler.limit, scheduler.next) == ("\ufffd", 1_000, None, 5)
    assert (scheduler.template.opts.attempts, scheduler.template.opts.priority) == (2, 0)


STATES: dict[str, tuple[Any, Any]] = {
    "wait": ({"every": 60_000}, {}),
    "prioritized": ({"every": 60_000}, {"opts": {"priority": 2}}),
    "delayed": ({"pattern": YEARLY}, {}),
}


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("state", STATES)
async def test_removing_one_removes_its_pending_job(
    queue: Queue, clockwork: Clockwork, state: str, paused: bool
) -> None:
    await queue.upsert_job_scheduler("other", {"every": 60_000})
    job = await queue.upsert_job_scheduler("s", *STATES[state])
    if paused:
        await queue.pause()
    assert await queue.remove_job_scheduler("s") is True
    assert await clockwork.pending("s") == []
    assert [key for key in await clockwork.keyspace.keys() if key.startswith("repeat:s")] == []
    assert await clockwork.keyspace.events("removed") == [{"event": "removed", "jobId": job.id, "prev": state}]
    assert [scheduler.key for scheduler in await queue.get_job_schedulers()] == ["other"]
    assert await queue.remove_job_scheduler("s") is False


async def test_a_job_that_runs_outlives_its_scheduler(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    job = await clockwork.take()
    assert await queue.remove_job_scheduler("s") is True
    await clockwork.hand.complete()
    assert await queue.get_job_state(job.id) == "completed"
    assert await clockwork.pending("s") == []


async def test_the_pending_job_cannot_be_removed_by_itself(queue: Queue, clockwork: Clockwork) -> None:
    job = await queue.upsert_job_scheduler("s", {"every": 60_000})
    with pytest.raises(SchedulerJobError):
        await job.remove()
    with pytest.raises(SchedulerJobError):
        await queue.remove(job.id)
    await queue.drain(delayed=True)
    assert await queue.clean(0, "wait") == []
    assert await clockwork.pending("s") == [job.id]

    running = await clockwork.run()
    (pending,) = await clockwork.pending("s")
    with pytest.raises(SchedulerJobError):
        await queue.remove(pending)
    assert await queue.remove(running.id) is True


async def test_jobs_of_a_scheduler_that_is_gone_are_as_any(queue: Queue, clockwork: Clockwork) -> None:
    """Node leaves a job behind that waits already when its scheduler is removed."""
    job = await queue.upsert_job_scheduler("s", {"every": 60_000})
    look = clockwork.keyspace
    await look.command("DEL", look.key("repeat"), look.key("repeat:s"))
    assert (await clockwork.take()).id == job.id
    await clockwork.hand.complete()
    assert await queue.remove(job.id) is True
    assert await clockwork.pending("s") == []


@pytest.mark.parametrize("suffix", ["repeat", "repeat:s", "delayed"])
async def test_a_key_of_another_type_is_named(queue: Queue, clockwork: Clockwork, suffix: str) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    await clockwork.keyspace.spoil(suffix)
    before = await clockwork.keyspace.keys()
    with pytest.raises(ServerError, match=f"WRONGTYPE .*:{suffix} "):
        await queue.remove_job_scheduler("s")
    assert await clockwork.keyspace.keys() == before
