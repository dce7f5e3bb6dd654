"""The workers of one process: built, started and drained at the application's fixed points."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

from app.bullmq import Queue, Worker
from app.core import Discovery, Inject, Shutdown, methods_of
from app.workers.errors import RootImportedTwiceError, WorkersError
from app.workers.explorer import Explorer
from app.workers.host import WorkerHost, bind
from app.workers.listening import Listening
from app.workers.options import WorkersSetup
from app.workers.processing import processor_of
from app.workers.processor import ProcessorSpec
from app.workers.together import together
from app.workers.tokens import SETUP
from app.workers.worker_event import WORKER_EVENT


class WorkerFleet:
    """Runs the selected processors, and all listeners, of the whole application.

    The order is the design. Workers take jobs only once every module is ready for them, and are drained before any
    module is told that the end has come, so that a job in flight finds everything open. Listeners hear before the first
    job starts, and until the last has ended.
    """

    def __init__(self, setup: Annotated[WorkersSetup, Inject(SETUP)], discovery: Discovery, shutdown: Shutdown) -> None:
        self._setup = setup
        self._discovery = discovery
        self._shutdown = shutdown
        self._found = Explorer()
        self._listening = Listening()
        self._workers: list[Worker[Any, Any]] = []

    async def on_module_init(self) -> None:
        """Check what there is, reach Redis, and make the workers.

        Raises:
            WorkersError, ExceptionGroup: one thing, or several, that is wrong with processors, listeners or queues.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        self._found = found = Explorer.explore(self._discovery)
        problems = [*self._other_roots(), *found.problems(self._setup.selection)]
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise ExceptionGroup("the workers cannot start", problems)
        found.warn_of_competitors()
        for queue in found.queues.values():
            if queue is not None:
                await queue.wait_until_ready()
        self._workers = list(self._selected_workers())

    async def on_application_start(self) -> None:
        """Hear events, and take jobs, from now on."""
        await self._listening.start(self._found.listeners, self._found.queues)
        await together("workers did not start", [worker.start() for worker in self._workers])

    async def on_application_drain(self) -> None:
        """Take no more jobs, let running ones end within the grace time, hand back the rest; then hear no more.

        When the application is told to stop once more, the rest is handed back at once.
        """
        hurrying = asyncio.create_task(self._hurry(), name="workers-hurry")
        try:
            await self._close_workers(self._setup.shutdown_grace_ms)
        finally:
            hurrying.cancel()
            await asyncio.gather(hurrying, return_exceptions=True)
            await self._listening.close()

    async def on_application_disconnect(self) -> None:
        """Close what adds jobs and was made by the application; the connection that all share goes last."""
        await together("flow producers did not close", [producer.close() for producer in self._found.own_producers])
        await together("queues did not close", [queue.close() for queue in self._found.own_queues])

    async def _hurry(self) -> None:
        await self._shutdown.forced.wait()
        await self._close_workers(0)

    async def _close_workers(self, grace_ms: int) -> None:
        await together("workers did not close", [worker.close(grace_ms) for worker in self._workers])

    def _selected_workers(self) -> Iterator[Worker[Any, Any]]:
        for processor in self._found.processors:
            queue = self._found.queues[processor.spec.queue]
            is_selected = self._setup.selection.is_selected(processor.spec.worker_name)
            if processor.host is not None and queue is not None and is_selected:
                yield _worker_of(processor.host, processor.spec, queue)

    def _other_roots(self) -> list[WorkersError]:
        roots = [provider.path[:-1] for provider in self._discovery.providers() if provider.token is WorkerFleet]
        return [RootImportedTwiceError([" > ".join(root) for root in roots])] if len(roots) > 1 else []


def _worker_of(host: WorkerHost[Any, Any], spec: ProcessorSpec, queue: Queue[Any]) -> Worker[Any, Any]:
    """The engine's worker for a host, where its queue is, with the host's methods listening."""
    worker: Worker[Any, Any] = Worker(
        spec.queue,
        processor_of(host, spec),
        connection=queue.connection.endpoint,
        prefix=queue.keys.prefix,
        **spec.options,
    )
    let_listen(host, worker)
    return worker


def let_listen(host: WorkerHost[Any, Any], worker: Worker[Any, Any]) -> None:
    """Let the host's methods hear the worker's events, and the host know its worker."""
    for listener in methods_of(host, WORKER_EVENT):
        for event in listener.metadata:
            worker.on(event, listener.method)
    bind(host, worker)
