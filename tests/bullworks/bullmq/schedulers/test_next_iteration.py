"""When a scheduler's job is taken, exactly one next job takes its place, whatever happens between."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Job, Queue
from bullworks.bullmq.scripts.next_iteration import store_next_iteration
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.schedulers.conftest import Clockwork, options_of

MINUTE_MS = 60_000
YEARLY = "0 0 1 1 *"


def due_ms(job: Job) -> int:
    return int(job.id.rpartition(":")[2])


async def test_it_is_added_as_bullmq_adds_it(queue: Queue, clockwork: Clockwork) -> None:
    template: Any = {"name": "n", "data": {"a": 1}, "opts": {"priority": 2, "lifo": True, "keep_logs": 4}}
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS, "offset": 7, "limit": 9}, template)
    first = await clockwork.run_early((await clockwork.pending("s"))[0])
    (next_id,) = await clockwork.pending("s")

    assert next_id == f"repeat:s:{due_ms(first) + MINUTE_MS}"
    stored = await clockwork.keyspace.hash(next_id)
    options = options_of(stored)
    now_ms = options.pop("timestamp")
    assert options.pop("delay") == int(stored["delay"]) == due_ms(first) + MINUTE_MS - now_ms
    assert options == {
        "attempts": 0,
        "priority": 2,
        "lifo": True,
        "kl": 4,
        "repeat": {"every": MINUTE_MS, "offset": 7, "limit": 9, "count": 2},
        "repeatJobKey": "s",
        "jobId": next_id,
    }
    assert (stored["name"], stored["data"], stored["priority"], stored["rjk"]) == ("n", '{"a":1}', "2", "s")
    assert (await clockwork.keyspace.hash("repeat:s"))["ic"] == "2"
    events = [(event["event"], event["jobId"]) for event in await clockwork.keyspace.events() if "jobId" in event]
    assert events[-4:] == [("active", first.id), ("added", next_id), ("delayed", next_id), ("completed", first.id)]


async def test_a_pattern_goes_on_from_the_later_of_now_and_its_last_time(queue: Queue, clockwork: Clockwork) -> None:
    first = await queue.upsert_job_scheduler("s", {"pattern": YEARLY, "tz": "UTC"})
    await clockwork.run_early(first.id)
    (second,) = await clockwork.pending("s")
    third = await clockwork.run_early(second)
    years = [datetime.fromtimestamp(due / 1000).astimezone().year for due in (due_ms(first) + 1, due_ms(third) + 1)]
    assert years[1] == years[0] + 1
    assert options_of(await clockwork.keyspace.hash(second))["prevMillis"] == due_ms(third)


async def test_a_pattern_in_a_zone_follows_its_clock_set_forward(queue: Queue, clockwork: Clockwork) -> None:
    """Paris, 31 March 2030: 02:30 does not exist, and runs at 03:30."""
    start = datetime.fromisoformat("2030-03-30T00:00:00+01:00")
    repeat: Any = {"pattern": "30 2 * * *", "tz": "Europe/Paris", "start_date": start}
    await queue.upsert_job_scheduler("s", repeat)
    runs = [await clockwork.run_early((await clockwork.pending("s"))[0]) for _ in range(3)]
    expected = ["2030-03-30T02:30:00+01:00", "2030-03-31T03:30:00+02:00", "2030-04-01T02:30:00+02:00"]
    assert [due_ms(job) for job in runs] == [
        round(datetime.fromisoformat(text).timestamp() * 1000) for text in expected
    ]


async def test_asking_twice_or_at_once_adds_one(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    answers = await asyncio.gather(*(store_next_iteration(queue.scripts, job) for _ in range(5)))
    assert [answer for answer in answers if answer] == await clockwork.pending("s")
    assert len(answers) == 5
    assert await store_next_iteration(queue.scripts, job) is None
    assert (await clockwork.keyspace.hash("repeat:s"))["ic"] == "2"


async def test_times_that_passed_unseen_are_made_up_for_once(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS, "offset": 1_234})
    (pending,) = await clockwork.pending("s")
    old_ms = int(pending.rpartition(":")[2]) - 100 * MINUTE_MS
    look = clockwork.keyspace
    await look.command("RENAME", look.key(pending), look.key(f"repeat:s:{old_ms}"))
    await look.command("DEL", look.key("delayed"))
    await look.command("LPUSH", look.key("wait"), f"repeat:s:{old_ms}")
    await look.command("ZADD", look.key("repeat"), old_ms, "s")
    assert (await clockwork.run()).id == f"repeat:s:{old_ms}"
    next_ms = await clockwork.due_ms("s")
    now_ms = await clockwork.now_ms()
    assert next_ms % MINUTE_MS == 1_234
    assert now_ms - 1_000 < next_ms <= now_ms + MINUTE_MS


async def test_the_limit_is_the_number_of_jobs(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"pattern": YEARLY, "limit": 3})
    for _ in range(3):
        await clockwork.run_early((await clockwork.pending("s"))[0])
    assert await clockwork.pending("s") == []
    scheduler = await queue.get_job_scheduler("s")
    assert scheduler is not None
    assert scheduler.iteration_count == 3


@pytest.mark.parametrize("repeat", [{"every": MINUTE_MS, "offset": 1}, {"pattern": "* * * * *"}])
async def test_none_is_later_than_the_end_date(queue: Queue, clockwork: Clockwork, repeat: Any) -> None:
    first_ms = (await clockwork.now_ms() // MINUTE_MS + 2) * MINUTE_MS + repeat.get("offset", 0)
    await queue.upsert_job_scheduler("s", {**repeat, "end_date": first_ms})
    runs = 0
    while pending := await clockwork.pending("s"):
        assert runs < 3
        assert due_ms(await clockwork.run_early(pending[0])) <= first_ms
        runs += 1
    assert runs in {2, 3}


async def test_a_failed_or_retried_job_neither_stops_nor_doubles_the_schedule(
    queue: Queue, clockwork: Clockwork
) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take()
    pending = await clockwork.pending("s")
    await clockwork.hand.fail()
    await (await clockwork.job(job.id)).retry()
    assert (await clockwork.take()).id == job.id
    await clockwork.hand.complete()
    assert await clockwork.pending("s") == pending
    assert len(pending) == 1


async def test_a_worker_that_died_before_it_is_made_up_for_by_the_next(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    assert await clockwork.pending("s") == []
    look = clockwork.keyspace
    await look.command("DEL", look.key(f"{job.id}:lock"))
    assert await queue.scripts.check_stalled(1, 0) == []
    for _ in range(5):  # as often as it likes: a scheduler's job is never failed for it
        await look.command("DEL", look.key("stalled-check"), look.key(f"{job.id}:lock"))
        assert await queue.scripts.check_stalled(1, 0) == [job.id]
        assert (await clockwork.take_unkept()).id == job.id
        await look.command("DEL", look.key("stalled-check"))
        await queue.scripts.check_stalled(1, 0)
    assert await store_next_iteration(queue.scripts, job) == f"repeat:s:{due_ms(job) + MINUTE_MS}"
    assert await clockwork.pending("s") == [f"repeat:s:{due_ms(job) + MINUTE_MS}"]


async def test_a_worker_that_died_after_it_changes_nothing(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take()
    pending = await clockwork.pending("s")
    look = clockwork.keyspace
    await queue.scripts.check_stalled(1, 1)
    await look.command("DEL", look.key("stalled-check"), look.key(f"{job.id}:lock"))
    assert await queue.scripts.check_stalled(1, 1) == [job.id]
    assert (await clockwork.take()).id == job.id
    await clockwork.hand.complete()
    assert await clockwork.pending("s") == pending


async def test_a_scheduler_that_was_removed_meanwhile_gets_no_second_one(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    await queue.remove_job_scheduler("s")
    assert await store_next_iteration(queue.scripts, job) is None
    assert await clockwork.pending("s") == []


async def test_a_scheduler_that_was_changed_meanwhile_gets_no_second_one(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    new = await queue.upsert_job_scheduler("s", {"pattern": YEARLY})
    assert await store_next_iteration(queue.scripts, job) is None
    assert await clockwork.pending("s") == [new.id]


async def test_times_whose_jobs_ran_already_are_skipped(queue: Queue, clockwork: Clockwork) -> None:
    """Somebody ran the next jobs by hand, and set the scheduler anew since."""
    for scheduler_id, repeat in (("p", {"pattern": YEARLY, "tz": "UTC"}), ("e", {"every": MINUTE_MS, "offset": 5})):
        first = await queue.upsert_job_scheduler(scheduler_id, repeat)  # type: ignore[arg-type]
        for _ in range(2):
            await clockwork.run_early((await clockwork.pending(scheduler_id))[0])
        done = await clockwork.keyspace.ids("completed")
        # Back to the first, which is run once more.
        look = clockwork.keyspace
        await queue.remove_job_scheduler(scheduler_id)
        await (await clockwork.job(first.id)).remove()
        again = await queue.upsert_job_scheduler(scheduler_id, repeat)  # type: ignore[arg-type]
        assert again.id == first.id
        await clockwork.run_early(again.id)
        (pending,) = await clockwork.pending(scheduler_id)
        assert pending not in done
        assert await look.ids("completed") == [*done[1:], again.id]
        await look.command("DEL", look.key("completed"))


async def test_a_job_that_no_scheduler_made_has_no_successor(queue: Queue, clockwork: Clockwork) -> None:
    plain = await queue.add("a", {})
    assert await store_next_iteration(queue.scripts, plain) is None
    # Node's add() keeps an unknown `repeat` among the options; and a hash may be half written.
    for opts in ('{"repeat":{"every":5}}', "{}", "[]"):
        job = Job(queue.scripts, "repeat:s:5", {b"name": b"n", b"opts": opts.encode(), b"rjk": b"s"})
        assert await store_next_iteration(queue.scripts, job) is None


async def test_a_scheduler_without_its_hash_has_no_successor(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    look = clockwork.keyspace
    await look.command("HDEL", look.key("repeat:s"), "every")
    assert await store_next_iteration(queue.scripts, job) is None
    await look.command("DEL", look.key("repeat:s"))
    assert await store_next_iteration(queue.scripts, job) is None
    assert await clockwork.pending("s") == []


async def test_what_cannot_be_computed_is_an_error(queue: Queue, clockwork: Clockwork) -> None:
    """Node may have had a repeat strategy of its own, whose patterns are no cron expressions."""
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    fields = await clockwork.keyspace.hash(job.id)
    options = {**options_of(fields), "repeat": {"pattern": "FREQ=DAILY", "count": 1}}
    strange = Job(queue.scripts, job.id, {b"opts": json.dumps(options).encode(), b"rjk": b"s"})
    with pytest.raises(InvalidOptionError, match="FREQ=DAILY"):
        await store_next_iteration(queue.scripts, strange)
    broken = Job(queue.scripts, job.id, {b"opts": b"{", b"rjk": b"s"})
    with pytest.raises(ValueError, match="Expecting"):
        await store_next_iteration(queue.scripts, broken)


@pytest.mark.parametrize("suffix", ["repeat", "repeat:s", "delayed", "pc"])
async def test_a_key_of_another_type_is_named_and_nothing_is_written(
    queue: Queue, clockwork: Clockwork, suffix: str
) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    await clockwork.keyspace.spoil(suffix)
    before = await clockwork.keyspace.keys()
    with pytest.raises(ServerError, match=f"WRONGTYPE .*:{suffix} "):
        await store_next_iteration(queue.scripts, job)
    assert await clockwork.keyspace.keys() == before


async def test_what_nodes_options_hold_beyond_ours_is_handed_on(queue: Queue, clockwork: Clockwork) -> None:
    await queue.upsert_job_scheduler("s", {"every": MINUTE_MS})
    job = await clockwork.take_unkept()
    look = clockwork.keyspace
    options = {**options_of(await look.hash(job.id)), "tm": "trace", "unknown": [1, {}], "attempts": 3}
    await look.command("HSET", look.key(job.id), "opts", json.dumps(options))
    await store_next_iteration(queue.scripts, await clockwork.job(job.id))
    (pending,) = await clockwork.pending("s")
    kept = options_of(await look.hash(pending))
    assert (kept["tm"], kept["unknown"], kept["attempts"]) == ("trace", [1, {}], 3)
