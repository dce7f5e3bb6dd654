"""Pause and resume, with what older BullMQ versions left behind."""

from __future__ import annotations

import pytest

from bullworks.bullmq import Queue
from bullworks.bullmq.scripts.queue import RESUME
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


async def test_a_paused_queue_gives_no_jobs_and_keeps_what_is_added(queue: Queue, hand: HandWorker) -> None:
    await queue.pause()
    await queue.add("a")
    assert await queue.is_paused()
    assert await hand.take() is None
    assert await queue.get_job_counts("waiting", "paused") == {"waiting": 1, "paused": 0}
    await queue.resume()
    assert not await queue.is_paused()
    assert await hand.take() == "1"


async def test_a_job_under_way_goes_on_while_the_queue_is_paused(queue: Queue, hand: HandWorker) -> None:
    await queue.add("a")
    await hand.take()
    await queue.pause()
    await hand.complete("done")
    assert await queue.get_job_state("1") == "completed"


async def test_pause_says_whether_it_changed_anything(queue: Queue) -> None:
    assert await queue.scripts.pause() is True
    assert await queue.scripts.pause() is False
    assert await queue.scripts.resume() is None
    assert await queue.scripts.pause() is True


async def test_both_are_told_as_events(queue: Queue, keyspace: Keyspace) -> None:
    await queue.pause()
    await queue.resume()
    assert [event["event"] for event in await keyspace.events()] == ["paused", "resumed"]


async def test_resume_wakes_a_worker_only_if_there_is_work(queue: Queue, keyspace: Keyspace) -> None:
    await queue.pause()
    await queue.resume()
    assert await keyspace.ids("marker") == []
    await queue.pause()
    await queue.add("a", None, priority=1)
    await queue.resume()
    assert await keyspace.ids("marker") == ["0"]


async def test_resume_tells_when_the_next_delayed_job_is_due(queue: Queue, keyspace: Keyspace) -> None:
    """Pausing drops the marker; without it nobody would wake for the delayed job."""
    await queue.add("a", None, delay=60_000)
    await queue.pause()
    assert await keyspace.ids("marker") == []
    await queue.resume()
    assert await keyspace.ids("marker") == ["1"]


async def test_resume_wakes_nobody_when_the_fleet_runs_all_it_may(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    for _ in range(2):
        await queue.add("a")
    await hand.take()
    await keyspace.command("HSET", keyspace.key("meta"), "concurrency", 1)
    await queue.pause()
    await queue.resume()
    assert await keyspace.ids("marker") == []


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2500])
async def test_what_bullmq_5_left_in_its_paused_list_runs_first_and_in_order(
    queue: Queue, keyspace: Keyspace, count: int
) -> None:
    """It may be long: it is moved in chunks, and nobody may take a job before all are in line."""
    await queue.pause()
    legacy = [f"old-{i}" for i in range(count)]
    await keyspace.command("LPUSH", keyspace.key("paused"), *legacy)
    await queue.add("a", None, job_id="new")
    left = await queue.scripts.connection.execute("LLEN", keyspace.key("paused"))
    assert left == count
    await queue.resume()
    assert (await keyspace.ids("wait"))[::-1] == [*legacy, "new"]
    assert await keyspace.ids("paused") == []
    assert not await queue.is_paused()


async def test_a_half_moved_paused_list_leaves_the_queue_paused(queue: Queue, keyspace: Keyspace) -> None:
    await queue.pause()
    await keyspace.command("LPUSH", keyspace.key("paused"), *[f"old-{i}" for i in range(5)])
    assert await queue.connection.run(RESUME, (queue.keys.base,), [2]) == 3
    assert await queue.is_paused()
    assert await keyspace.events("resumed") == []
    assert await queue.connection.run(RESUME, (queue.keys.base,), [2]) == 1
    assert await queue.connection.run(RESUME, (queue.keys.base,), [2]) == 0
    assert not await queue.is_paused()


@pytest.mark.parametrize("operation", ["pause", "resume", "drain", "retry_jobs", "get_job_counts", "wait_until_ready"])
@pytest.mark.parametrize("suffix", ["meta", "events", "wait"])
async def test_a_key_of_another_type_is_named_and_nothing_is_changed(
    queue: Queue, keyspace: Keyspace, suffix: str, operation: str
) -> None:
    await keyspace.spoil(suffix)
    with pytest.raises(ServerError, match=f"WRONGTYPE .*:{suffix} is a string|WRONGTYPE .*:{suffix} is a hash"):
        await getattr(queue, operation)()
    assert await keyspace.keys() == [suffix]
