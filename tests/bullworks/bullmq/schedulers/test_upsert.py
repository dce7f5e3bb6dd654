"""Setting up schedulers: what lies in Redis then, and which job is pending."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, InvalidPayloadError, Queue
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.schedulers.conftest import Clockwork, options_of

DAY_MS = 86_400_000
YEARLY = "0 0 1 1 *"


async def test_every_runs_at_once_and_is_stored_as_bullmq_stores_it(queue: Queue, clockwork: Clockwork) -> None:
    before_ms = await clockwork.now_ms()
    template: Any = {"name": "sync", "data": {"a": 1}, "opts": {"attempts": 3, "remove_on_complete": 5}}
    job = await queue.upsert_job_scheduler("s", {"every": 60_000, "limit": 7}, template)

    due_ms = await clockwork.due_ms("s")
    assert before_ms <= due_ms <= await clockwork.now_ms()
    look = clockwork.keyspace
    assert await look.hash("repeat:s") == {
        "name": "sync",
        "data": '{"a":1}',
        "opts": '{"attempts":3,"removeOnComplete":5}',
        "every": "60000",
        "offset": str(due_ms % 60_000),
        "limit": "7",
        "ic": "1",
    }
    stored = await look.hash(job.id)
    assert options_of(stored) == {
        "attempts": 3,
        "removeOnComplete": 5,
        "repeat": {"every": 60_000, "limit": 7, "count": 1},
        "repeatJobKey": "s",
        "jobId": job.id,
        "delay": 0,
        "timestamp": due_ms,
    }
    del stored["opts"]
    assert stored == {
        "name": "sync",
        "data": '{"a":1}',
        "rjk": "s",
        "priority": "0",
        "delay": "0",
        "timestamp": str(due_ms),
    }
    assert await look.ids("wait") == [job.id] == [f"repeat:s:{due_ms}"]
    assert await look.ids("marker") == ["0"]
    assert await look.events() == [
        {"event": "added", "jobId": job.id, "name": "sync"},
        {"event": "waiting", "jobId": job.id},
    ]
    assert (job.name, job.data, job.repeat_job_key, job.opts.attempts) == ("sync", {"a": 1}, "s", 3)
    assert (await look.hash("meta"))["opts.maxLenEvents"] == "10000"


async def test_a_pattern_waits_for_its_time(queue: Queue, clockwork: Clockwork) -> None:
    job = await queue.upsert_job_scheduler(
        "s", {"pattern": YEARLY, "tz": "UTC"}, {"opts": {"priority": 3, "lifo": True}}
    )
    due_ms = await clockwork.due_ms("s")
    stored = await clockwork.keyspace.hash(job.id)
    assert options_of(stored)["prevMillis"] == due_ms
    assert int(stored["delay"]) == due_ms - int(stored["timestamp"])
    assert (stored["priority"], stored["name"], stored["data"]) == ("3", "s", "{}")
    assert await clockwork.keyspace.ids("delayed") == [job.id]
    scheduler = await clockwork.keyspace.hash("repeat:s")
    assert scheduler == {
        "name": "s",
        "opts": '{"lifo":true,"priority":3}',
        "pattern": YEARLY,
        "tz": "UTC",
        "offset": "0",
        "ic": "1",
    }
    assert (await clockwork.keyspace.events("delayed"))[0]["delay"] == str(due_ms)


async def test_a_pattern_with_immediately_runs_now(queue: Queue, clockwork: Clockwork) -> None:
    job = await queue.upsert_job_scheduler("s", {"pattern": YEARLY, "immediately": True})
    assert await clockwork.keyspace.ids("wait") == [job.id]
    assert await clockwork.due_ms("s") <= await clockwork.now_ms()


@pytest.mark.parametrize("ahead_ms", [5_000, -5_000])
async def test_every_with_an_offset_begins_at_its_next_slot(queue: Queue, clockwork: Clockwork, ahead_ms: int) -> None:
    now_ms = await clockwork.now_ms()
    offset = (now_ms + ahead_ms) % 60_000
    await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": offset})
    assert await clockwork.due_ms("s") == now_ms + ahead_ms + (60_000 if ahead_ms < 0 else 0)
    assert (await clockwork.keyspace.hash("repeat:s"))["offset"] == str(offset)


async def test_every_begins_at_its_start_date_or_now_where_that_is_past(queue: Queue, clockwork: Clockwork) -> None:
    now_ms = await clockwork.now_ms()
    await queue.upsert_job_scheduler("later", {"every": 1_000, "start_date": now_ms + DAY_MS})
    await queue.upsert_job_scheduler("now", {"every": 1_000, "start_date": now_ms - DAY_MS})
    assert await clockwork.due_ms("later") == now_ms + DAY_MS
    assert now_ms <= await clockwork.due_ms("now") <= await clockwork.now_ms()


CHANGES: dict[str, tuple[Any, Any]] = {
    "waiting": ({"every": 60_000}, {}),
    "prioritized": ({"every": 60_000}, {"opts": {"priority": 2}}),
    "delayed": ({"pattern": YEARLY}, {}),
}


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("state", CHANGES)
async def test_changing_a_scheduler_replaces_its_pending_job(
    queue: Queue, clockwork: Clockwork, state: str, paused: bool
) -> None:
    repeat, template = CHANGES[state]
    old = await queue.upsert_job_scheduler("s", repeat, template)
    if paused:
        await queue.pause()
    new = await queue.upsert_job_scheduler("s", {"every": 70_000, "limit": 2}, {"name": "new", "data": 5})
    # Twice in one millisecond, it is the same slot.
    assert new.id == old.id or await queue.get_job(old.id) is None
    assert (new.name, new.data) == ("new", 5)
    assert await clockwork.pending("s") == [new.id]
    assert await queue.get_job_schedulers_count() == 1
    fields = await clockwork.keyspace.hash("repeat:s")
    assert {fields[name] for name in ("name", "data", "every", "limit")} == {"new", "5", "70000", "2"}
    assert not fields.keys() & {"pattern", "opts"}
    assert bool(await clockwork.keyspace.ids("marker")) is not paused
    assert await clockwork.keyspace.events("removed") == []


async def test_a_job_that_bullmq_5_left_in_its_paused_list_is_replaced_too(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    await queue.pause()
    look = clockwork.keyspace
    await look.command("RENAME", look.key("wait"), look.key("paused"))
    new = await queue.upsert_job_scheduler("s", {"every": 70_000})
    assert await clockwork.pending("s") == [new.id]


@pytest.mark.parametrize(
    "repeat",
    [
        {"every": 60_000},
        {"every": 60_000, "offset": 500},
        {"every": 60_000, "start_date": 4_000_000_000_000},
        {"pattern": YEARLY, "tz": "UTC"},
    ],
)
async def test_saying_the_same_again_moves_nothing(queue: Queue, clockwork: Clockwork, repeat: Any) -> None:
    first = await queue.upsert_job_scheduler("s", repeat, {"data": 1})
    fields = await clockwork.keyspace.hash("repeat:s")
    again = await queue.upsert_job_scheduler("s", repeat, {"data": 2})
    assert again.id == first.id
    assert again.data == 2
    assert await clockwork.pending("s") == [first.id]
    assert await clockwork.keyspace.hash("repeat:s") == {**fields, "data": "2"}


@pytest.mark.parametrize("repeat", [{"every": 1_000, "offset": 1}, {"pattern": "* * * * * *"}])
async def test_a_job_that_is_overdue_stays_so(queue: Queue, clockwork: Clockwork, repeat: Any) -> None:
    """Workers were away; a service that starts now says its schedule first. The missed run must not be dropped."""
    await queue.upsert_job_scheduler("s", repeat)
    old_ms = 1_600_000_000_000
    look = clockwork.keyspace
    (pending,) = await clockwork.pending("s")
    await look.command("RENAME", look.key(pending), look.key(f"repeat:s:{old_ms}"))
    await look.command("DEL", look.key("delayed"))
    await look.command("LPUSH", look.key("wait"), f"repeat:s:{old_ms}")
    await look.command("ZADD", look.key("repeat"), old_ms, "s")

    again = await queue.upsert_job_scheduler("s", repeat)
    assert again.id == f"repeat:s:{old_ms}"
    assert await clockwork.pending("s") == [again.id]
    assert (await clockwork.take()).id == again.id


@pytest.mark.parametrize(
    "changed", [{"offset": 700}, {"start_date": 4_000_000_000_000}, {"every": 30_000, "offset": 900}]
)
async def test_another_schedule_moves_the_pending_job(queue: Queue, clockwork: Clockwork, changed: Any) -> None:
    first = await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": 500})
    again = await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": 500, **changed})
    assert again.id != first.id
    assert await clockwork.pending("s") == [again.id]


async def test_a_scheduler_that_has_ended_goes_on_with_its_slots(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000, "limit": 1})
    last = await clockwork.run()
    assert await clockwork.pending("s") == []
    again = await queue.upsert_job_scheduler("s", {"every": 60_000, "limit": 1})
    assert again.id == f"repeat:s:{int(last.id.rpartition(':')[2]) + 60_000}"
    assert await clockwork.pending("s") == [again.id]


async def test_changing_it_while_its_job_runs_adds_the_new_one_beside_it(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    running = await clockwork.take()
    new = await queue.upsert_job_scheduler("s", {"pattern": YEARLY})
    assert await clockwork.pending("s") == [new.id]
    assert await clockwork.keyspace.ids("active") == [running.id]
    await clockwork.hand.complete()
    assert await clockwork.keyspace.ids("completed") == [running.id]


async def test_a_job_that_ran_ahead_of_its_time_is_not_added_again(queue: Queue, clockwork: Clockwork) -> None:
    first = await queue.upsert_job_scheduler("p", {"pattern": YEARLY, "tz": "UTC", "limit": 1})
    await clockwork.run_early(first.id)
    again = await queue.upsert_job_scheduler("p", {"pattern": YEARLY, "tz": "UTC", "limit": 1})
    assert int(again.id.rpartition(":")[2]) - int(first.id.rpartition(":")[2]) in {365 * DAY_MS, 366 * DAY_MS}
    assert await clockwork.keyspace.ids("completed") == [first.id]

    offset = (await clockwork.now_ms() + 30_000) % 60_000
    first = await queue.upsert_job_scheduler("e", {"every": 60_000, "offset": offset})
    await clockwork.run_early(first.id)
    await queue.remove_job_scheduler("e")
    again = await queue.upsert_job_scheduler("e", {"every": 60_000, "offset": offset})
    assert int(again.id.rpartition(":")[2]) - int(first.id.rpartition(":")[2]) == 60_000


async def test_the_count_of_iterations_lives_on(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": 60_000})
    await clockwork.run()
    await queue.upsert_job_scheduler("s", {"every": 70_000})
    assert (await clockwork.keyspace.hash("repeat:s"))["ic"] == "2"


async def test_the_queues_own_options_are_inherited(redis_url: str, key_prefix: str) -> None:
    defaults: Any = {"attempts": 4, "remove_on_fail": 9, "delay": 5_000, "deduplication": {"id": "d"}}
    async with Queue("q", connection=redis_url, prefix=key_prefix, default_job_options=defaults) as queue:
        job = await queue.upsert_job_scheduler("s", {"every": 60_000}, {"opts": {"attempts": 2}})
    assert (job.opts.attempts, job.opts.remove_on_fail is not None) == (2, True)
    assert (job.delay, job.opts.deduplication) == (0, None)


async def test_the_length_of_the_event_stream_is_stored_first(redis_url: str, key_prefix: str) -> None:
    streams: Any = {"events": {"max_len": 77}}
    async with Queue("q", connection=redis_url, prefix=key_prefix, streams=streams) as queue:
        await queue.upsert_job_scheduler("s", {"every": 60_000})
        stored = await queue.connection.execute("HGET", queue.keys.of("meta"), "opts.maxLenEvents")
    assert stored == b"77"


async def test_a_thousand_jobs_in_the_way_are_an_error(queue: Queue, clockwork: Clockwork) -> None:
    offset = (await clockwork.now_ms() + 30_000) % 60_000
    first = await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": offset})
    await queue.remove_job_scheduler("s")
    slots = [int(first.id.rpartition(":")[2]) + i * 60_000 for i in range(1_000)]
    keys = [clockwork.keyspace.key(f"repeat:s:{slot}") for slot in slots]
    await asyncio.gather(*(clockwork.keyspace.command("HSET", key, "name", "n") for key in keys))
    with pytest.raises(ServerError, match="next 1000 iterations of scheduler s are there already"):
        await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": offset})
    assert await clockwork.pending("s") == []
    await clockwork.keyspace.command("DEL", keys[-1])
    assert (await queue.upsert_job_scheduler("s", {"every": 60_000, "offset": offset})).id.endswith(str(slots[-1]))


async def test_no_run_before_the_end_date_is_an_error_and_nothing_changes(queue: Queue, clockwork: Clockwork) -> None:
    now_ms = await clockwork.now_ms()
    pending = await queue.upsert_job_scheduler("s", {"every": 60_000})
    for repeat in (
        {"every": 60_000, "end_date": now_ms - 1},
        {"every": 60_000, "offset": (now_ms + 30_000) % 60_000, "end_date": now_ms + 10_000},
        {"pattern": YEARLY, "end_date": now_ms + 10_000},
    ):
        with pytest.raises(InvalidOptionError, match="end_date"):
            await queue.upsert_job_scheduler("s", repeat)  # type: ignore[arg-type]
    assert await clockwork.pending("s") == [pending.id]
    assert (await clockwork.keyspace.hash("repeat:s")).keys() == {"name", "every", "offset", "ic"}


@pytest.mark.parametrize("scheduler_id", ["", None, 5, "\ud800", "a:1700000000000"])
async def test_an_id_that_cannot_be_told_apart_is_refused(queue: Queue, scheduler_id: Any) -> None:
    with pytest.raises(InvalidOptionError, match="scheduler_id"):
        await queue.upsert_job_scheduler(scheduler_id, {"every": 1_000})


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"opts": {"job_id": "x"}}, "job_id: cannot be given"),
        ({"opts": {"delay": 5}}, "delay: cannot be given"),
        ({"opts": {"deduplication": {"id": "x"}}}, "deduplication: cannot be given"),
        ({"opts": {"repeat": {"every": 5}}}, "repeat: cannot be given"),
        ({"opts": {"atempts": 5}}, "did you mean attempts"),
        ({"nam": "x"}, "did you mean template.name"),
        ({"name": ""}, "name: must be"),
    ],
)
async def test_what_an_iteration_cannot_have_is_refused(queue: Queue, template: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError) as refusal:
        await queue.upsert_job_scheduler("s", {"every": 1_000}, template)
    assert message in str(refusal.value)


async def test_data_that_is_not_json_is_refused(queue: Queue) -> None:
    with pytest.raises(InvalidPayloadError):
        await queue.upsert_job_scheduler("s", {"every": 1_000}, {"data": object()})


async def test_the_key_is_the_id_already(queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match=r"repeat\.key"):
        await queue.upsert_job_scheduler("s", {"every": 1_000, "key": "k"})


@pytest.mark.parametrize("suffix", ["repeat", "repeat:s", "delayed", "wait", "events"])
async def test_a_key_of_another_type_is_named_and_nothing_is_written(
    queue: Queue, clockwork: Clockwork, suffix: str
) -> None:
    await clockwork.keyspace.spoil(suffix)
    before = await clockwork.keyspace.keys()
    with pytest.raises(ServerError, match=f"WRONGTYPE .*:{suffix} "):
        await queue.upsert_job_scheduler("s", {"every": 1_000})
    assert await clockwork.keyspace.keys() == before
