"""What presence does in Redis, one typed function per Lua file, and the removal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bullworks.redis import Argument, PipelinedConnection, Script
from bullworks.workers.presence.keys import PresenceKeys
from bullworks.workers.presence.records import WorkerRecord

LIVES_MS = 30_000
"""A worker that was not heard of for so long is gone: three heartbeats."""

MOST_WORKERS = 1_000
"""Of a queue: some 300 bytes each."""

_BEAT = Script.load("bullworks.workers.presence", "beat")
_READ_PRESENT = Script.load("bullworks.workers.presence", "read_present")


@dataclass(frozen=True, slots=True)
class PresentWorkers:
    """The workers of a queue that sent heartbeats lately.

    Attributes:
        workers: those heard of last.
        total: how many there are.
    """

    workers: Sequence[WorkerRecord] = field(default=())
    total: int = 0


async def beat(connection: PipelinedConnection, keys: PresenceKeys, workers: Sequence[WorkerRecord]) -> None:
    """Store heartbeats of workers."""
    said: list[Argument] = [LIVES_MS, MOST_WORKERS]
    for worker in workers:
        said += (worker.id, worker.encode())
    await connection.run(_BEAT, (keys.workers, keys.seen), said)


async def read_present(connection: PipelinedConnection, keys: PresenceKeys, most: int) -> PresentWorkers:
    """Read the workers that sent heartbeats lately, at most `most`."""
    total, *flat = await connection.run(_READ_PRESENT, (keys.workers, keys.seen), [LIVES_MS, most])
    workers = [
        WorkerRecord.decode(flat[at].decode("utf-8", "replace"), flat[at + 1], flat[at + 2])
        for at in range(0, len(flat), 3)
    ]
    return PresentWorkers(workers, total)


async def forget(connection: PipelinedConnection, keys: PresenceKeys, ids: Sequence[str]) -> None:
    """Remove workers that have stopped."""
    await asyncio.gather(connection.execute("HDEL", keys.workers, *ids), connection.execute("ZREM", keys.seen, *ids))
