"""FleetKeeper: has something follow all workers of the process, as the history and the heartbeats do."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Protocol

from bullworks.bullmq import Queue, Worker
from bullworks.core import Token, provide_setup
from bullworks.settings import Settings
from bullworks.workers.fleet import WorkerFleet


class FleetObserver(Protocol):
    """A part that follows workers and records what they do while it runs."""

    def follow(self, worker: Worker, queue: Queue) -> None:
        """Look at a worker of the queue, which is made and does not run yet."""

    def start(self, queues: Iterable[Queue]) -> None:
        """Write from now on; all queues of the application are given."""

    async def close(self) -> None:
        """Write what is left. Closing twice, or before starting, is fine."""


class FleetKeeper:
    """Runs an observer from the start of the application until workers are drained, while queues are still open."""

    def __init__(self, fleet: WorkerFleet, observer: FleetObserver, *, is_enabled: bool) -> None:
        self._fleet = fleet
        self._observer = observer
        self._is_enabled = is_enabled
        if is_enabled:
            fleet.on_worker(self._follow)

    def on_application_start(self) -> None:
        """Start the observer's writing."""
        if self._is_enabled:
            self._observer.start(self._fleet.queues.values())

    async def on_module_destroy(self) -> None:
        """Write what the observer still holds."""
        await self._observer.close()

    def _follow(self, worker: Worker) -> None:
        queue = self._fleet.queues.get(worker.queue_name)
        if queue is not None:
            self._observer.follow(worker, queue)


def switch(token: Token[bool], given: bool | None, settings: type[Settings], field: str) -> list[Any]:  # noqa: FBT001 - the option's own value
    """Providers of `token`: what the option says, or the field of the settings where it says nothing."""
    if given is not None:
        return provide_setup(token, lambda: given, None)
    return provide_setup(token, attrgetter(field), settings)
