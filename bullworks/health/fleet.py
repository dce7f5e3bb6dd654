"""Reading the fleet's queues, crons and locks from Redis, in a few writes however many there are."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bullworks.bullmq import Queue
from bullworks.bullmq.scripts.glance import GlanceScripts
from bullworks.health.reading import CronReading, FleetReading, QueueReading
from bullworks.locks import read_locks
from bullworks.redis import PipelinedConnection
from bullworks.schedule.journal.records import CronRecord, read_recent_names, read_record
from bullworks.workers.history import RedisHistory, Tally, oldest_waiting

# Names of crons and locks are kept for a while: a service that invents them does not make metrics without end.
_MOST_CRONS = 500
_MOST_LOCKS = 1_000


async def read_fleet(queues: Sequence[Queue[Any]], home: PipelinedConnection | None) -> FleetReading:
    """Read all of it, begun together: on each connection it leaves in one write.

    Args:
        home: the connection of crons and locks; None means the service has neither.

    Raises:
        RedisError: it could not be read.
    """
    ever, figures, counts, ages, crons, locks = await asyncio.gather(
        _read_history(queues),
        asyncio.gather(*(GlanceScripts(queue.connection, queue.keys).figures() for queue in queues)),
        asyncio.gather(*(queue.get_job_counts() for queue in queues)),
        asyncio.gather(*(oldest_waiting(queue.connection, queue.keys.base) for queue in queues)),
        _read_crons(home),
        _count_locks(home),
    )
    read = [
        QueueReading(
            name=queue.name,
            counts=by_state,
            oldest_ms=age_ms,
            ever=ever[queue.name],
            is_paused=settings.is_paused,
            concurrency=settings.concurrency,
            rate_limit_ttl_ms=settings.rate_limit_ttl_ms,
        )
        for queue, settings, by_state, (age_ms, _) in zip(queues, figures, counts, ages, strict=True)
    ]
    return FleetReading(queues=read, crons=crons, locks=locks)


async def _read_history(queues: Sequence[Queue[Any]]) -> dict[str, Tally]:
    places: dict[tuple[PipelinedConnection, str], list[str]] = {}
    for queue in queues:
        places.setdefault((queue.connection, queue.keys.prefix), []).append(queue.name)
    found = await asyncio.gather(
        *(RedisHistory(connection, prefix).ever(names) for (connection, prefix), names in places.items())
    )
    return {name: tally for by_name in found for name, tally in by_name.items()}


async def _read_crons(home: PipelinedConnection | None) -> list[CronReading]:
    if home is None:
        return []
    names, _ = await read_recent_names(home, _MOST_CRONS)
    records: list[CronRecord] = await asyncio.gather(*(read_record(home, name) for name in names))
    return [
        CronReading(
            name=record.name,
            last_run_ms=record.started_at_ms,
            last_success_ms=record.succeeded_at_ms,
            misses=len(record.misses),
        )
        for record in records
        # of a cron that was taken out of the code nothing but its name may be left
        if record.started_at_ms is not None or record.misses
    ]


async def _count_locks(home: PipelinedConnection | None) -> int:
    if home is None:
        return 0
    locks, _ = await read_locks(home, _MOST_LOCKS)
    return len(locks)
