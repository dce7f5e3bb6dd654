"""Readiness: whether this process can work, and in words for the log why not."""

import asyncio
import logging
from collections.abc import Iterator

from bullworks.core import Shutdown
from bullworks.redis import RedisError
from bullworks.tasks import cancel_and_wait
from bullworks.workers import WorkerFleet

log = logging.getLogger(__name__)

# Whoever asks is not known: however many do, Redis is asked once in so long.
_KEPT_S = 1.0
# Probes give up after some seconds; a Redis that takes as long is not ready.
_PATIENCE_S = 2.0


class Readiness:
    """Checks that Redis answers and this process's workers run.

    How much work waits is not its business: a backlog would make every process of a fleet unready at once, and keep the
    rollout from finishing that would help. That is for an alert on `bullworks_oldest_waiting_job_seconds`.
    """

    def __init__(self, fleet: WorkerFleet, shutdown: Shutdown) -> None:
        self._fleet = fleet
        self._shutdown = shutdown
        self._asking: asyncio.Task[list[str]] | None = None
        self._asked_s = 0.0
        self._last: list[str] | None = None

    async def is_ready(self) -> bool:
        """Whether the process is ready, cached for a second; reasons against it are logged once each."""
        loop = asyncio.get_running_loop()
        if self._asking is None or (self._asking.done() and loop.time() - self._asked_s > _KEPT_S):
            self._asked_s = loop.time()
            self._asking = asyncio.create_task(self._ask(), name="health-ready")
        # shielded: who gives up waiting does not take the answer from the others
        return not await asyncio.shield(self._asking)

    async def on_module_destroy(self) -> None:
        """Stop checking readiness."""
        await cancel_and_wait(self._asking)
        self._asking = None

    async def problems(self) -> list[str]:
        """List the reasons why this process is not ready, for authorised readers."""
        found = ["it is shutting down"] if self._shutdown.requested.is_set() else list(self._idle_workers())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._ping()
        except TimeoutError:
            found.append(f"Redis did not answer within {_PATIENCE_S:g} s")
        except RedisError as error:
            found.append(f"Redis: {error}")
        return found

    async def _ask(self) -> list[str]:
        found = await self.problems()
        if found != self._last:
            if found:
                log.warning("not ready: %s", "; ".join(found))
            elif self._last:
                log.info("ready again")
            self._last = found
        return found

    def _idle_workers(self) -> Iterator[str]:
        for worker in self._fleet.workers:
            if not worker.is_running:
                yield f"the worker of queue {worker.queue_name} does not run"

    async def _ping(self) -> None:
        queues = self._fleet.queues.values()
        places = {(queue.connection, queue.keys.prefix): queue for queue in queues}
        # of a cluster the node that has the queues' keys is asked
        await asyncio.gather(*(queue.connection.execute("PING", key=queue.keys.base) for queue in places.values()))
