"""What an operator does to all jobs of a queue at once, or to one by its id."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import ActiveJobsError, InvalidOptionError, InvalidPayloadError, JobNotFoundError, JobSpec, Queue
from bullworks.bullmq.scripts.queue import OBLITERATE
from tests.bullworks.bullmq.hand_worker import HandWorker


async def keys_of(queue: Queue) -> list[bytes]:
    keys: list[bytes] = await queue.connection.execute("KEYS", f"{queue.keys.base}*")
    return keys


async def obliterate_once(queue: Queue, limit: int, force: str = "") -> int:
    answer: int = await queue.connection.run(OBLITERATE, (queue.keys.base,), [limit, force])
    return answer


async def test_all_delayed_jobs_are_promoted_in_the_order_of_their_time(queue: Queue, hand: HandWorker) -> None:
    jobs = [await queue.add("n", delay=60_000 - 1_000 * number) for number in range(7)]
    prioritized = await queue.add("n", delay=70_000, priority=1)
    await queue.promote_jobs(count=3)
    taken = [await hand.take() for _ in range(8)]
    assert taken == [*(job.id for job in reversed(jobs)), prioritized.id]
    await jobs[0].refresh()
    assert jobs[0].delay == 0
    await queue.promote_jobs()


async def test_promoting_skips_what_is_no_job_and_wakes_a_worker(queue: Queue) -> None:
    await queue.connection.execute("ZADD", queue.keys.of("delayed"), 1, "ghost")
    await queue.promote_jobs()
    assert await queue.get_job_counts("delayed", "waiting") == {"delayed": 0, "waiting": 0}
    assert await queue.connection.execute("ZRANGE", queue.keys.of("marker"), 0, -1) == [b"0"]


async def test_jobs_that_no_list_names_are_removed_and_no_other_key(queue: Queue, hand: HandWorker) -> None:
    states = {
        "waiting": await queue.add("n"),
        "prioritized": await queue.add("n", priority=1),
        "delayed": await queue.add("n", delay=60_000, deduplication={"id": "d"}, job_id="a:b:c"),
    }
    await queue.upsert_job_scheduler("nightly", {"every": 60_000, "offset": 1})
    active = await hand.take()
    await queue.add_job_log(str(active), "a line")
    kept = set(await keys_of(queue))
    base = queue.keys.base
    for number in range(30):
        await queue.connection.execute("HSET", f"{base}old-{number}", "name", "n", "data", "{}")
        await queue.connection.execute("RPUSH", f"{base}old-{number}:logs", "a line")
    await queue.connection.execute("HSET", f"{base}x:y:z", "name", "n")
    await queue.connection.execute("SADD", f"{base}alone:dependencies", "n")
    await queue.connection.execute("SET", f"{base}no-job", "text")
    await queue.connection.execute("SET", f"{base}".encode() + b"\xff", "no text")
    assert await queue.remove_orphaned_jobs(count=10, limit=7) == 7
    assert await queue.remove_orphaned_jobs(count=10) == 25
    assert await queue.remove_orphaned_jobs() == 0
    assert set(await keys_of(queue)) == kept | {f"{base}no-job".encode(), base.encode() + b"\xff"}
    assert [await job.get_state() for job in states.values()] == ["active", "prioritized", "delayed"]


async def test_orphans_of_a_prefix_that_is_a_pattern_are_those_of_no_other(redis_url: str, key_prefix: str) -> None:
    async with (
        Queue("q", connection=redis_url, prefix=f"{key_prefix}*[a]?") as odd,
        Queue("q", connection=redis_url, prefix=f"{key_prefix}-a1") as like_it,
    ):
        for queue in (odd, like_it):
            await queue.connection.execute("HSET", queue.keys.of("old"), "name", "n")
        assert await odd.remove_orphaned_jobs() == 1
        assert await like_it.connection.execute("EXISTS", like_it.keys.of("old")) == 1


async def test_a_limit_of_orphans_is_a_number(queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match="limit: must be a whole number >= 0, not -1"):
        await queue.remove_orphaned_jobs(limit=-1)


async def test_an_obliterated_queue_leaves_nothing(queue: Queue, hand: HandWorker) -> None:
    await queue.add_bulk([JobSpec("n", i) for i in range(30)])
    await queue.add("d", delay=60_000)
    await queue.add("p", priority=3)
    await queue.add("once", deduplication={"id": "once", "ttl": 60_000})
    await queue.upsert_job_scheduler("nightly", {"every": 60_000})
    await hand.take()
    await hand.complete()
    await hand.take()
    await hand.fail()
    await queue.add_job_log("2", "a line")
    await queue.obliterate(count=4)
    assert await keys_of(queue) == []
    assert (await queue.add("new")).id == "1"


async def test_a_queue_with_active_jobs_is_only_paused_unless_by_force(queue: Queue, hand: HandWorker) -> None:
    await queue.add_bulk([JobSpec("n", i) for i in range(3)])
    await hand.take()
    with pytest.raises(ActiveJobsError, match="q has active jobs"):
        await queue.obliterate()
    assert await queue.is_paused()
    assert await queue.count() == 2
    await queue.obliterate(force=True)
    assert await keys_of(queue) == []


async def test_each_step_answers_whether_there_is_more(queue: Queue, hand: HandWorker) -> None:
    await queue.add_bulk([JobSpec("n", i) for i in range(3)])
    await queue.upsert_job_scheduler("s", {"every": 60_000}, {})
    assert await obliterate_once(queue, 2) == -1
    await hand.take()
    await queue.pause()
    assert await obliterate_once(queue, 2) == -2
    assert [await obliterate_once(queue, 2, "1") for _ in range(4)] == [1, 1, 0, -1]
    assert await keys_of(queue) == []


async def test_a_parent_in_another_queue_runs_when_its_last_child_goes(queue: Queue, redis_url: str) -> None:
    async with Queue("parents", connection=redis_url, prefix=queue.keys.prefix) as parents:
        parent = await parents.add("p")
        await parents.connection.execute("LREM", parents.keys.of("wait"), 1, parent.id)
        await parents.connection.execute("ZADD", parents.keys.of("waiting-children"), 1, parent.id)
        await queue.add("c", parent={"id": parent.id, "queue": f"{queue.keys.prefix}:parents"})
        await queue.obliterate()
        assert [job.id for job in await parents.get_waiting()] == [parent.id]


async def test_progress_and_lines_are_stored_by_the_jobs_id(queue: Queue) -> None:
    job = await queue.add("n")
    await queue.update_job_progress(job.id, {"step": 1})
    assert [await queue.add_job_log(job.id, f"line {number}") for number in range(3)] == [1, 2, 3]
    assert await queue.add_job_log(job.id, "last", keep_logs=2) == 2
    await job.refresh()
    assert job.progress == {"step": 1}
    assert await job.logs() == ["line 2", "last"]
    for refused in (queue.update_job_progress("gone", 1), queue.add_job_log("gone", "x")):
        with pytest.raises(JobNotFoundError):
            await refused
    with pytest.raises(InvalidPayloadError):
        await queue.update_job_progress(job.id, float("nan"))


async def test_the_priority_key_of_bullmq_3_can_be_removed(queue: Queue) -> None:
    await queue.connection.execute("SET", queue.keys.of("priority"), 1)
    assert await queue.remove_deprecated_priority_key()
    assert not await queue.remove_deprecated_priority_key()


@pytest.mark.parametrize("count", [0, 5_001, True, 1.5])
async def test_a_step_has_a_bound(queue: Queue, count: Any) -> None:
    for refused in (queue.promote_jobs(count=count), queue.obliterate(count=count)):
        with pytest.raises(InvalidOptionError, match="count"):
            await refused


@pytest.mark.parametrize("suffix", ["delayed", "wait", "active"])
async def test_a_key_of_another_type_is_named_and_nothing_is_changed(queue: Queue, suffix: str) -> None:
    await queue.connection.execute("SET", queue.keys.of(suffix), "a text")
    await queue.connection.execute("HSET", queue.keys.of("meta"), "paused", 1)
    for refused in (queue.promote_jobs(), queue.obliterate(force=True)):
        with pytest.raises(Exception, match=f"{suffix} is a string"):
            await refused
    assert len(await keys_of(queue)) == 2
