"""The workers of one process: built, started and drained at the application's fixed points."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

from bullworks.bullmq import Queue, Worker, WorkerOptions
from bullworks.bullmq.worker.processor import Processor
from bullworks.core import ApplicationStateError, Discovery, Inject, ModuleRef, Scope, Shutdown, methods_of
from bullworks.schedule.scheduler import Scheduler
from bullworks.tasks import cancel_and_wait
from bullworks.workers.enhancers.enhancing import Enhancing
from bullworks.workers.explorer import Explorer
from bullworks.workers.host import WorkerHost, bind
from bullworks.workers.listening import Listening
from bullworks.workers.options import WorkersSetup
from bullworks.workers.per_job import HostPerJob
from bullworks.workers.processing import processor_of
from bullworks.workers.processor import ProcessorSpec
from bullworks.workers.together import together
from bullworks.workers.tokens import SETUP
from bullworks.workers.worker_event import WORKER_EVENT


class WorkerFleet:
    """Runs the selected processors, and all listeners, of the whole application.

    The order is the design. Workers take jobs only once every module is ready for them, and are drained before any
    module gets its stop hook, so that a job in flight finds everything open. Listeners hear before the first
    job starts, and until the last has ended.
    """

    def __init__(
        self,
        setup: Annotated[WorkersSetup, Inject(SETUP)],
        discovery: Discovery,
        shutdown: Shutdown,
        modules: ModuleRef,
        schedule: Scheduler,
    ) -> None:
        self._setup = setup
        self._discovery = discovery
        self._shutdown = shutdown
        shutdown.grace_s = setup.shutdown_grace_ms / 1000
        self._modules = modules
        self._schedule = schedule
        self._found = Explorer()
        self._listening = Listening()
        self._workers: list[Worker[Any, Any]] = []
        self._told_of_workers: list[Callable[[Worker[Any, Any]], None]] = []
        self._registering = asyncio.Lock()
        self._has_looked = self._is_registered = self._is_started = self._is_closing = False

    @property
    def workers(self) -> list[Worker[Any, Any]]:
        """The workers of this process; empty until they are created."""
        return list(self._workers)

    @property
    def queues(self) -> dict[str, Queue[Any]]:
        """The registered queues by name, without those a test replaced; empty until they were looked up."""
        return {name: queue for name, queue in self._found.queues.items() if queue is not None}

    def on_worker(self, callback: Callable[[Worker[Any, Any]], None]) -> None:
        """Register a callback for each created worker, before it takes jobs: for metrics and heartbeats."""
        self._told_of_workers.append(callback)

    async def on_module_init(self) -> None:
        """Check the configuration, connect to Redis, and create the workers, unless that is left to `register`.

        Raises:
            WorkersError, ExceptionGroup: one thing, or several, that is wrong with processors, listeners or queues.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        await self._look()
        if not self._setup.manual_registration:
            await self.register()

    async def register(self) -> None:
        """Create the workers and listeners, and start them if the application has started. Once only.

        Raises:
            WorkersError, ExceptionGroup, ConnectError: as `on_module_init`.
            ApplicationStateError: the application is closing.
        """
        await self._look()
        async with self._registering:
            if self._is_closing:
                raise ApplicationStateError("WorkersRegistrar", "the application is closing, no worker starts any more")
            if not self._is_registered:
                self._workers = [worker async for worker in self._selected_workers()]
                for worker in self._workers:
                    for tell in self._told_of_workers:
                        tell(worker)
                self._is_registered = True
                if self._is_started:
                    await self._start()

    async def on_application_start(self) -> None:
        """Start listening to events and taking jobs."""
        async with self._registering:
            self._is_started = True
            if self._is_registered:
                await self._start()

    async def on_application_drain(self) -> None:
        """Stop taking jobs, wait for running ones within the grace time, hand back the rest; then stop listening.

        When the application is asked to stop once more, the rest is handed back at once.
        """
        async with self._registering:
            self._is_closing = True
        hurrying = asyncio.create_task(self._hurry(), name="workers-hurry")
        try:
            # crons and jobs end side by side: the grace time is for both
            await together(
                "crons or workers did not end",
                [self._schedule.drain(), self._close_workers(self._setup.shutdown_grace_ms)],
            )
        finally:
            await cancel_and_wait(hurrying)
            await self._listening.close()

    async def on_application_disconnect(self) -> None:
        """Close the queues and flow producers that the application created; the shared connection goes last."""
        found = Explorer.explore(self._discovery)  # with those of modules that were loaded later
        await together("flow producers did not close", [producer.close() for producer in found.own_producers])
        await together("queues did not close", [queue.close() for queue in found.own_queues])

    async def _look(self) -> None:
        """See what the application has, once, and that it can work."""
        if self._has_looked:
            return
        self._has_looked = True
        self._found = found = Explorer.explore(self._discovery)
        problems = [*found.problems(), *found.unknown_workers(self._setup.selection)]
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise ExceptionGroup("the workers cannot start", problems)
        found.warn_of_competitors()
        for queue in found.queues.values():
            if queue is not None:
                await queue.wait_until_ready()

    async def _start(self) -> None:
        await self._listening.start(self._found.listeners, self._found.queues)
        await together("workers did not start", [worker.start() for worker in self._workers])

    async def _hurry(self) -> None:
        await self._shutdown.forced.wait()
        await self._close_workers(0)

    async def _close_workers(self, grace_ms: int) -> None:
        await together("workers did not close", [worker.close(grace_ms) for worker in self._workers])

    async def _selected_workers(self) -> AsyncIterator[Worker[Any, Any]]:
        for processor in self._found.processors:
            queue = self._found.queues[processor.spec.queue]
            if queue is None or not self._setup.selection.is_selected(processor.spec.worker_name):
                continue
            places = partial(self._found.places_of, processor)
            enhancing = Enhancing(processor.cls, processor.spec, places, queue, self._modules.request)
            if processor.scope is Scope.REQUEST:
                hosts = HostPerJob(processor.cls, processor.resolve, self._modules)
                handlers = await enhancing.around(hosts.processor(processor.spec), hosts)
                hosts.worker = _worker(processor.spec, handlers, queue)
                yield hosts.worker
            elif processor.host is not None:
                handlers = await enhancing.around(processor_of(processor.host, processor.spec))
                worker = _worker(processor.spec, handlers, queue)
                let_listen(processor.host, worker)
                yield worker


def _worker(spec: ProcessorSpec, processor: Processor, queue: Queue[Any]) -> Worker[Any, Any]:
    """The engine's worker of a processor, where its queue is."""
    options: WorkerOptions = {"telemetry": queue.telemetry, **spec.options}
    return Worker(
        spec.queue,
        processor,
        connection=queue.connection.endpoint,
        prefix=queue.keys.prefix,
        data_type=spec.data_type or queue.data_type,
        result_type=spec.result_type or queue.result_type,
        encryption=queue.encryption,
        **options,
    )


def let_listen(host: WorkerHost[Any, Any], worker: Worker[Any, Any]) -> None:
    """Connect a host to its worker: its methods receive the worker's events."""
    for listener in methods_of(host, WORKER_EVENT):
        for event in listener.metadata:
            worker.on(event, listener.method)
    bind(host, worker)
