"""Metrics: what Prometheus reads of the fleet and of this process, gathered again for each reading."""

import asyncio
import logging
from typing import Annotated, Any

from bullworks.bullmq import Worker
from bullworks.core import Discovery, Inject, ModuleRef
from bullworks.health.fleet import read_fleet
from bullworks.health.options import HEALTH_SETUP, HealthSetup
from bullworks.health.reading import FleetReading, Reading, WorkerReading
from bullworks.redis import PipelinedConnection, RedisError
from bullworks.workers import WorkerFleet
from bullworks.workers.tokens import CONNECTION

log = logging.getLogger(__name__)

# Prometheus gives up after ten seconds, and wants to hear that Redis is away.
_PATIENCE_S = 2.0


class Metrics:
    """The metrics of all registered queues, over the whole fleet, and of this process's workers.

    The fleet's lie in Redis, so each process tells the same: `METRICS_SCOPE` says which of them do.
    """

    def __init__(
        self,
        setup: Annotated[HealthSetup, Inject(HEALTH_SETUP)],
        fleet: WorkerFleet,
        modules: ModuleRef,
        discovery: Discovery,
    ) -> None:
        self._setup = setup
        self._fleet = fleet
        self._modules = modules
        self._discovery = discovery
        self._stalled: dict[str, int] = {}
        self._is_away = False
        fleet.on_worker(self._count_stalled)

    async def render(self, accepted: str) -> tuple[bytes, str]:
        """Render the metrics for Prometheus; also returns the content type.

        While Redis does not answer, `bullworks_redis_up` is 0 and the fleet's are missing.

        Args:
            accepted: what the Accept header says.

        Raises:
            MissingExtraError: prometheus-client is not installed.
        """
        # Here, so that it is not needed without metrics.
        from bullworks.health.exposition import format_metrics

        reading = await self._read()
        # of hundreds of queues it is megabytes: jobs keep running meanwhile
        return await asyncio.to_thread(format_metrics, reading, self._setup.histogram_queues, accepted)

    async def _read(self) -> Reading:
        scope = self._setup.metrics_scope
        process = None if scope == "fleet" else self._read_process()
        if scope == "process":
            return Reading(process=process)
        fleet = await self._read_fleet()
        return Reading(fleet=fleet, is_redis_up=fleet is not None, process=process)

    async def _read_fleet(self) -> FleetReading | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                fleet = await read_fleet(list(self._fleet.queues.values()), await self._home())
        except (RedisError, TimeoutError) as error:
            if not self._is_away:
                log.warning("metrics of the fleet cannot be read: %s", str(error) or "Redis did not answer in time")
            self._is_away = True
            return None
        self._is_away = False
        return fleet

    async def _home(self) -> PipelinedConnection | None:
        """The connection of crons and locks, if the application has opened it anyway."""
        if any(provider.token == CONNECTION and provider.is_built for provider in self._discovery.providers()):
            return await self._modules.resolve(CONNECTION)
        return None

    def _read_process(self) -> dict[str, WorkerReading]:
        found: dict[str, WorkerReading] = {}
        for worker in self._fleet.workers:
            reading = found.setdefault(worker.queue_name, WorkerReading())
            reading.slots += worker.concurrency if worker.is_running else 0
            reading.running += len(worker.active_jobs)
            reading.stalled = self._stalled.get(worker.queue_name, 0)
        return found

    def _count_stalled(self, worker: Worker[Any, Any]) -> None:
        def count() -> None:
            self._stalled[worker.queue_name] = self._stalled.get(worker.queue_name, 0) + 1

        worker.on("stalled", count)
