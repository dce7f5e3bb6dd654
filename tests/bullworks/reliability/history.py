"""A queue filled, and looked at as a whole: every job in exactly one place, and nothing left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import redis

from bullworks.bullmq import JobSpec, Queue

_LISTS = ("wait", "active", "paused")
_SETS = ("delayed", "prioritized", "completed", "failed", "waiting-children")


async def add_many(queue: Queue[Any], count: int, **options: Any) -> list[str]:
    """Add so many jobs alike; their ids."""
    return [job.id for job in await queue.add_bulk([JobSpec("job", {"n": n}, **options) for n in range(count)])]


def blocked_workers(client: redis.Redis) -> int:
    """How many workers wait for jobs; one that listens for cancelled ones is blocked too."""
    return sum(other["cmd"] == "bzpopmin" and "b" in other["flags"] for other in client.client_list())


def is_blocked(client: redis.Redis) -> bool:
    """Whether a worker waits for jobs."""
    return blocked_workers(client) > 0


def completed(client: redis.Redis, queue: Queue[Any]) -> int:
    """How many jobs are completed."""
    return int(client.zcard(queue.keys.of("completed")))


def places(client: redis.Redis, queue: Queue[Any]) -> dict[str, list[str]]:
    """Job ids by the list or set they lie in."""
    found = {name: client.lrange(queue.keys.of(name), 0, -1) for name in _LISTS}
    found |= {name: client.zrange(queue.keys.of(name), 0, -1) for name in _SETS}
    return {name: [member.decode() for member in members] for name, members in found.items()}


def check_ended(client: redis.Redis, queue: Queue[Any], ids: Iterable[str], *, failed: int = 0) -> None:
    """Assert that every job of `ids` is finished, in one place only, and that no lock is left.

    Args:
        client: a plain client on the server.
        queue: whose jobs they are.
        ids: every job that was added; none was removed.
        failed: how many of them have to be among the failed ones.
    """
    expected = set(ids)
    found = places(client, queue)
    where = {name: len(members) for name, members in found.items() if members}
    everywhere = Counter(member for members in found.values() for member in members)
    assert not [job_id for job_id, times in everywhere.items() if times > 1], "a job in two places"
    assert set(everywhere) == expected, f"lost {len(expected - set(everywhere))}, strange {where}"
    assert len(found["failed"]) == failed, where
    assert len(found["completed"]) == len(expected) - failed, where
    assert not client.keys(f"{queue.keys.of('*')}:lock"), "a lock without a holder"
    assert client.scard(queue.keys.of("stalled")) == 0 or not found["active"], where


def fields(client: redis.Redis, queue: Queue[Any], job_id: str) -> dict[str, str]:
    """The job's hash as text."""
    raw = client.hgetall(queue.keys.of(job_id))
    return {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}
