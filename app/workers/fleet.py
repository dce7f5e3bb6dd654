"""The workers of one process: built, started and drained at the application's fixed points."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Annotated, Any

from app.bullmq import Queue, Worker
from app.core import Discovery, Inject, Shutdown, methods_of
from app.workers.errors import RootImportedTwiceError, WorkersError
from app.workers.explorer import Explorer, FoundProcessor
from app.workers.host import bind
from app.workers.options import WorkersSetup
from app.workers.tokens import SETUP
from app.workers.worker_event import WORKER_EVENT

log = logging.getLogger(__name__)


class WorkerFleet:
    """Runs the selected processors of the whole application.

    The order is the design. Workers take jobs only once every module is ready for them, and are drained before any
    module is told that the end has come, so that a job in flight finds everything open.
    """

    def __init__(self, setup: Annotated[WorkersSetup, Inject(SETUP)], discovery: Discovery, shutdown: Shutdown) -> None:
        self._setup = setup
        self._discovery = discovery
        self._shutdown = shutdown
        self._queues: list[Queue[Any]] = []
        self._workers: list[Worker[Any, Any]] = []

    async def on_module_init(self) -> None:
        """Check processors and queues, reach Redis, and make the workers.

        Raises:
            WorkersError, ExceptionGroup: one thing, or several, that is wrong with processors or queues.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        explorer = Explorer.explore(self._discovery)
        problems = [*self._other_roots(), *explorer.problems(self._setup.selection)]
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise ExceptionGroup("the workers cannot start", problems)
        explorer.warn_of_competitors()
        self._queues = [queue for queue in explorer.queues.values() if queue is not None]
        for queue in self._queues:
            await queue.wait_until_ready()
        for processor in explorer.processors:
            self._build(processor, explorer)

    async def on_application_start(self) -> None:
        """Take jobs from now on."""
        await _together("workers did not start", [worker.start() for worker in self._workers])

    async def on_application_drain(self) -> None:
        """Take no more jobs, let running ones end within the grace time, hand back the rest.

        When the application is told to stop once more, the rest is handed back at once.
        """
        draining = asyncio.ensure_future(self._close_workers(self._setup.shutdown_grace_ms))
        forced = asyncio.ensure_future(self._shutdown.forced.wait())
        await asyncio.wait((draining, forced), return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if not draining.done():
            await self._close_workers(0)
        await draining

    async def on_application_disconnect(self) -> None:
        """Close the queues; the connection that they share goes last of all."""
        await _together("queues did not close", [queue.close() for queue in self._queues])

    async def _close_workers(self, grace_ms: int) -> None:
        await _together("workers did not close", [worker.close(grace_ms) for worker in self._workers])

    def _other_roots(self) -> list[WorkersError]:
        roots = [provider.path[:-1] for provider in self._discovery.providers() if provider.token is WorkerFleet]
        return [RootImportedTwiceError([" > ".join(root) for root in roots])] if len(roots) > 1 else []

    def _build(self, processor: FoundProcessor, explorer: Explorer) -> None:
        spec, host, queue = processor.spec, processor.host, explorer.queues[processor.spec.queue]
        if host is None or not self._setup.selection.is_selected(spec.worker_name):
            log.info("worker %s is not enabled", spec.worker_name, extra={"queue": spec.queue})
            return
        if queue is None:
            log.info("worker %s does not run: its queue is replaced", spec.worker_name, extra={"queue": spec.queue})
            return
        worker: Worker[Any, Any] = Worker(
            spec.queue,
            host.process,
            connection=queue.connection.endpoint,
            prefix=queue.keys.prefix,
            **spec.options,
        )
        for listener in methods_of(host, WORKER_EVENT):
            for event in listener.metadata:
                worker.on(event, listener.method)
        bind(host, worker)
        self._workers.append(worker)


async def _together(failure: str, steps: list[Coroutine[Any, Any, None]]) -> None:
    """Take all steps at once; one that fails does not keep the others from ending."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    errors = [result for result in results if isinstance(result, Exception)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(failure, errors)
