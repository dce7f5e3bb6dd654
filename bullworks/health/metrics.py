"""Metrics: what Prometheus reads of the queues, gathered again for each reading."""

import asyncio
from typing import Any

from bullworks.bullmq import Queue
from bullworks.health.reading import QueueReading
from bullworks.redis import PipelinedConnection
from bullworks.workers import WorkerFleet
from bullworks.workers.history import RedisHistory, oldest_waiting

_PATIENCE_S = 5.0


class Metrics:
    """The metrics of all registered queues, over the whole fleet.

    They lie in Redis, so each process tells the same: scrape one of them, not each.
    """

    def __init__(self, fleet: WorkerFleet) -> None:
        self._fleet = fleet

    async def render(self, accepted: str) -> tuple[bytes, str]:
        """Render the metrics for Prometheus; also returns the content type.

        Args:
            accepted: what the Accept header says.

        Raises:
            MissingExtraError: prometheus-client is not installed.
            RedisError, TimeoutError: the numbers could not be had.
        """
        # Here, so that it is not needed without metrics.
        from bullworks.health.exposition import format_metrics

        async with asyncio.timeout(_PATIENCE_S):
            readings = await self._read()
        # of hundreds of queues it is megabytes: jobs keep running meanwhile
        return await asyncio.to_thread(format_metrics, readings, self._running(), accepted)

    async def _read(self) -> list[QueueReading]:
        queues = list(self._fleet.queues.values())
        places: dict[tuple[PipelinedConnection, str], list[Queue[Any]]] = {}
        for queue in queues:
            places.setdefault((queue.connection, queue.keys.prefix), []).append(queue)
        # begun together: all of it leaves in one write on each connection
        recorded = asyncio.gather(
            *(
                RedisHistory(connection, prefix).ever([queue.name for queue in there])
                for (connection, prefix), there in places.items()
            )
        )
        counts = asyncio.gather(*(queue.get_job_counts() for queue in queues))
        ages = asyncio.gather(*(oldest_waiting(queue.connection, queue.keys.base) for queue in queues))
        await asyncio.gather(recorded, counts, ages)
        ever = {name: tally for found in recorded.result() for name, tally in found.items()}
        return [
            QueueReading(queue.name, by_state, age_ms, ever[queue.name])
            for queue, by_state, (age_ms, _) in zip(queues, counts.result(), ages.result(), strict=True)
        ]

    def _running(self) -> dict[str, int]:
        running: dict[str, int] = {}
        for worker in self._fleet.workers:
            running[worker.queue_name] = running.get(worker.queue_name, 0) + len(worker.active_jobs)
        return running
