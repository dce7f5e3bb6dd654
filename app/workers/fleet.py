"""The workers of one process: built, started and drained at the application's fixed points."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Annotated, Any

from app.bullmq import Queue, Worker
from app.core import Discovery, Inject, Shutdown, methods_of
from app.workers.errors import RootImportedTwiceError, WorkersError
from app.workers.explorer import Explorer
from app.workers.host import WorkerHost, bind
from app.workers.options import WorkersSetup
from app.workers.processor import ProcessorSpec
from app.workers.tokens import SETUP
from app.workers.worker_event import WORKER_EVENT


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
        self._queues = explorer.own_queues
        for queue in explorer.queues.values():
            if queue is not None:
                await queue.wait_until_ready()
        self._workers = list(self._selected_workers(explorer))

    async def on_application_start(self) -> None:
        """Take jobs from now on."""
        await _together("workers did not start", [worker.start() for worker in self._workers])

    async def on_application_drain(self) -> None:
        """Take no more jobs, let running ones end within the grace time, hand back the rest.

        When the application is told to stop once more, the rest is handed back at once.
        """
        # paused and then closed, since a close with a grace time can't be hurried
        quiet = asyncio.gather(*(worker.pause() for worker in self._workers), return_exceptions=True)
        forced = asyncio.ensure_future(self._shutdown.forced.wait())
        grace_s = self._setup.shutdown_grace_ms / 1000
        await asyncio.wait((quiet, forced), timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (quiet, forced):
            waiting.cancel()
        await asyncio.gather(quiet, forced, return_exceptions=True)
        await _together("workers did not close", [worker.close(0) for worker in self._workers])

    async def on_application_disconnect(self) -> None:
        """Close the queues that the application made; the connection that they share goes last of all."""
        await _together("queues did not close", [queue.close() for queue in self._queues])

    def _selected_workers(self, explorer: Explorer) -> Iterator[Worker[Any, Any]]:
        for processor in explorer.processors:
            queue = explorer.queues[processor.spec.queue]
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
        host.process,
        connection=queue.connection.endpoint,
        prefix=queue.keys.prefix,
        **spec.options,
    )
    for listener in methods_of(host, WORKER_EVENT):
        for event in listener.metadata:
            worker.on(event, listener.method)
    bind(host, worker)
    return worker


async def _together(failure: str, steps: list[Coroutine[Any, Any, None]]) -> None:
    """Take all steps at once; one that fails does not keep the others from ending."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    errors = [result for result in results if isinstance(result, Exception)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(failure, errors)
