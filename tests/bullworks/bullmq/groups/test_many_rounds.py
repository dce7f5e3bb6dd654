"""A queue that never drains has more rounds than priorities: they are moved down while it is worked off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bullworks.bullmq import JobSpec, Queue
from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.worker import WorkerScripts
from tests.bullworks.bullmq.keyspace import Keyspace

# As lua/lib/group_rank.lua has it.
MOVE_AT = 1_048_576
HIGHEST = 2**21 - 1
_RAISE = """
for _, id in ipairs(redis.call('ZRANGE', KEYS[1] .. 'prioritized', 0, -1)) do
  redis.call('ZINCRBY', KEYS[1] .. 'prioritized', ARGV[1] * 4294967296, id)
  redis.call('HINCRBY', KEYS[1] .. id, 'priority', ARGV[1])
end
redis.call('HINCRBY', KEYS[1] .. 'bw:clock', 'origin', -ARGV[1])
"""


@pytest.fixture
async def twin(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    async with Queue("twin", connection=redis_url, prefix=key_prefix) as twin:
        yield twin


def specs(group: str, count: int, weight: float = 1) -> list[JobSpec]:
    return [JobSpec("work", group={"id": group, "weight": weight}) for _ in range(count)]


async def take(queue: Queue, count: int) -> list[str]:
    scripts = WorkerScripts(queue.connection, queue.connection, queue.keys, FetchTerms())
    _, fetched = await scripts.advance([], count, "t", "")
    ids = [job_id.decode() for job_id in fetched.jobs[::2]]
    await scripts.advance([("complete", job_id, "t", "null", "0", "[]", "") for job_id in ids], 0, "t", "")
    return ids


async def work_on(queue: Queue) -> list[str]:
    """Adds and takes for a while, in one order; what was taken."""
    taken: list[str] = []
    for step in range(30):
        await queue.add_bulk(specs("A", 5) + specs(f"new{step}", 2) + specs("C", 4, weight=2))
        taken += await take(queue, 9)
    while more := await take(queue, 50):
        taken += more
    return taken


async def test_the_order_is_what_it_would_be_with_priorities_without_end(
    queue: Queue, twin: Queue, keyspace: Keyspace
) -> None:
    """Given a queue that has come near the highest priority, and its twin that has just begun."""
    for each in (queue, twin):
        await each.add_bulk(specs("A", 900) + specs("B", 300, weight=0.5))
    await keyspace.command("EVAL", _RAISE, 1, queue.keys.base, MOVE_AT)
    held = await take(queue, 1)
    assert held == await take(twin, 1)
    assert await work_on(queue) == await work_on(twin)
    assert [key for key in await keyspace.keys() if key.startswith("bw:")] == []


async def test_a_move_ends_and_leaves_low_priorities(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add_bulk(specs("A", 1_000))
    await queue.add("plain", priority=HIGHEST)
    await keyspace.command("EVAL", _RAISE, 1, queue.keys.base, MOVE_AT - 1)
    await keyspace.command("ZADD", keyspace.key("prioritized"), HIGHEST * 2**32, "1001")
    scripts = WorkerScripts(queue.connection, queue.connection, queue.keys, FetchTerms())
    await scripts.advance([], 5, "t", "")
    for _ in range(5):
        await queue.add("work", group={"id": "B"})
    clock = await keyspace.hash("bw:clock")
    assert clock.keys() == {"now", "origin"}
    priorities = [int((await keyspace.hash(job_id))["priority"]) for job_id in await keyspace.ids("prioritized")]
    assert priorities[-1] in {HIGHEST, HIGHEST + MOVE_AT - 1}  # of the job that has no group
    assert max(priorities[:-1]) <= 1_010
    assert (await keyspace.hash("1"))["priority"] == "1"  # active


async def test_a_backlog_past_the_last_priority_is_kept_in_order(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add_bulk(specs("A", 2))
    await keyspace.command("ZADD", keyspace.key("bw:groups"), HIGHEST + 5, "A")
    await queue.add_bulk(specs("A", 3) + specs("B", 1))
    assert await keyspace.ids("prioritized") == ["1", "6", "2", "3", "4", "5"]
    assert (await keyspace.hash("5"))["priority"] == str(HIGHEST)
