"""Readiness: whether this process can work, and in words for the log why not."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Annotated, Any

from bullworks.bullmq import Queue
from bullworks.core import Inject, Shutdown
from bullworks.health.options import HEALTH_SETUP, HealthSetup
from bullworks.redis import RedisError
from bullworks.tasks import cancel_and_wait
from bullworks.workers import WorkerFleet
from bullworks.workers.history import oldest_waiting

log = logging.getLogger(__name__)

# Whoever asks is not known: however many do, Redis is asked once in so long.
_KEPT_S = 1.0
# Probes give up after some seconds; a Redis that takes as long is not ready.
_PATIENCE_S = 2.0


class Readiness:
    """Checks that Redis answers, this process's workers run, and no job of their queues has waited too long."""

    def __init__(
        self, setup: Annotated[HealthSetup, Inject(HEALTH_SETUP)], fleet: WorkerFleet, shutdown: Shutdown
    ) -> None:
        self._max_wait_ms = setup.max_wait_ms
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
                found += await self._problems_in_redis()
        except TimeoutError:
            found.append(f"Redis did not answer within {_PATIENCE_S:g} s")
        except RedisError as error:
            found.append(f"Redis: {error}")
        return found

    async def _ask(self) -> list[str]:
        found = await self.problems()
        # the ages in the texts change all the time, what they are about does not
        kinds = [text.partition(" for ")[0] for text in found]
        if kinds != self._last:
            if found:
                log.warning("not ready: %s", "; ".join(found))
            elif self._last:
                log.info("ready again")
            self._last = kinds
        return found

    def _idle_workers(self) -> Iterator[str]:
        for worker in self._fleet.workers:
            if not worker.is_running:
                yield f"the worker of queue {worker.queue_name} does not run"

    async def _problems_in_redis(self) -> list[str]:
        queues = list(self._fleet.queues.values())
        places = {(queue.connection, queue.keys.prefix): queue for queue in queues}
        # of a cluster the node that has the queues' keys is asked
        await asyncio.gather(*(queue.connection.execute("PING", key=queue.keys.base) for queue in places.values()))
        if not self._max_wait_ms:
            return []
        # Of other queues this process can take no job: that they are stuck is not for it to say.
        names = {worker.queue_name for worker in self._fleet.workers}
        found = await asyncio.gather(*(self._too_old(queue) for queue in queues if queue.name in names))
        return [problem for problem in found if problem is not None]

    async def _too_old(self, queue: Queue[Any]) -> str | None:
        age_ms, _ = await oldest_waiting(queue.connection, queue.keys.base)
        if age_ms is None or age_ms <= self._max_wait_ms:
            return None
        return f"a job in queue {queue.name} has waited for {age_ms / 1000:.0f} s"
