"""REQUEST-scoped processors: a host for each job, closed when the job has ended."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from typing import Any

from bullworks.arity import bound_signature
from bullworks.bullmq import Job, SyncJob, Worker
from bullworks.bullmq.sync.loop import call
from bullworks.bullmq.worker.processor import Processor, is_async
from bullworks.core import ModuleRef
from bullworks.workers.host import WorkerHost, bind
from bullworks.workers.processor import ProcessorSpec
from bullworks.workers.tokens import JOB

Host = WorkerHost[Any, Any]


class HostPerJob:
    """Creates a host for each job of one REQUEST-scoped processor.

    A job fails if its host cannot be created, and also if its host, or something created for it, fails to close: a
    transaction that does not commit is not a success.

    Args:
        cls: the processor's class.
        resolve: gives the host of the present request.
        modules: opens requests.

    Attributes:
        worker: the engine's worker, that hosts know.
    """

    def __init__(self, cls: type[Any], resolve: Callable[[], Awaitable[Host]], modules: ModuleRef) -> None:
        self._cls = cls
        self._resolve = resolve
        self._modules = modules
        self._loop = asyncio.get_running_loop()
        self.worker: Worker[Any, Any] | None = None

    def processor(self, spec: ProcessorSpec) -> Processor:
        """Build the engine's processor: one function, or one for each job name."""
        if spec.methods:
            return {name: self._handler(method) for name, method in spec.methods.items()}
        return self._handler("process")

    def request(self, job: Job | SyncJob) -> AbstractAsyncContextManager[None]:
        """Open a unit of work for a job."""
        return self._modules.request({JOB: job})

    async def host(self) -> Host:
        """Resolve the current request's host, connected to its worker."""
        host = await self._resolve()
        if self.worker is not None:
            bind(host, self.worker)
        return host

    def in_loop(self, coroutine: Any) -> Any:
        """Run a coroutine on the event loop while this thread waits; returns its result."""
        return call(coroutine, self._loop)

    def _handler(self, method: str) -> Callable[..., Any]:
        handler = _AsyncHandler if is_async(getattr(self._cls, method)) else _ThreadHandler
        return handler(self, method, bound_signature(self._cls, method))


class _Handler:
    """One method of hosts that do not exist yet; its signature tells the engine whether it takes the signal."""

    def __init__(self, hosts: HostPerJob, method: str, signature: inspect.Signature) -> None:
        self._hosts = hosts
        self._method = method
        self.__signature__ = signature


class _AsyncHandler(_Handler):
    async def __call__(self, job: Job, *signal: Any) -> Any:
        async with self._hosts.request(job):
            host = await self._hosts.host()
            return await getattr(host, self._method)(job, *signal)


class _ThreadHandler(_Handler):
    """Called in a thread; the host is made and closed by the loop, where its dependencies are at home."""

    def __call__(self, job: SyncJob, *signal: Any) -> Any:
        request = self._hosts.request(job)
        host, context = self._hosts.in_loop(self._enter(request))
        try:
            result = context.run(getattr(host, self._method), job, *signal)
        except BaseException as error:
            context.run(self._hosts.in_loop, request.__aexit__(type(error), error, error.__traceback__))
            raise
        context.run(self._hosts.in_loop, request.__aexit__(None, None, None))
        return result

    async def _enter(self, request: AbstractAsyncContextManager[None]) -> tuple[Host, Context]:
        await request.__aenter__()
        try:
            return await self._hosts.host(), copy_context()
        except BaseException as error:
            await request.__aexit__(type(error), error, error.__traceback__)
            raise
