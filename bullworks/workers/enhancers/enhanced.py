"""What the engine's worker calls for a handler that has enhancers: on the loop, in a thread, or in processes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any

from bullworks.bullmq import Job, ProcessPool, SyncJob
from bullworks.bullmq.sync.job import async_job
from bullworks.workers.enhancers.chain import Chain

Target = Callable[[], Awaitable[Callable[..., Any]]]
"""Gives the method to call for a job: of the one host, or of the present request's."""


class AsyncHandler:
    """Calls a coroutine method of a host.

    Args:
        signature: the method's, which tells the engine whether it takes the signal.
    """

    def __init__(self, chain: Chain, target: Target, signature: inspect.Signature) -> None:
        self._run = chain.run
        self._target = target
        self.__signature__ = signature

    async def __call__(self, job: Job[Any, Any], *signal: Any) -> Any:
        return await self._run(job, job, partial(self._handle, job, *signal))

    async def _handle(self, *args: Any) -> Any:
        return await (await self._target())(*args)


class HostHandler(AsyncHandler):
    """Calls a coroutine method of the one host there is."""

    def __init__(self, chain: Chain, method: Callable[..., Any], signature: inspect.Signature) -> None:
        self._run = chain.run
        self._method = method
        self.__signature__ = signature

    async def __call__(self, job: Job[Any, Any], *signal: Any) -> Any:
        return await self._run(job, job, partial(self._method, job, *signal))


class ThreadHandler:
    """Calls a plain method of a host, in the thread in which it is called itself; enhancers run on the loop meanwhile.

    The thread serves the chain until that ends: where it has come to the handler, the thread runs it.
    """

    def __init__(
        self, chain: Chain, target: Target, signature: inspect.Signature, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._chain = chain
        self._target = target
        self._loop = loop
        self.__signature__ = signature

    def __call__(self, job: SyncJob[Any, Any], *signal: Any) -> Any:
        calls: SimpleQueue[_ThreadCall | None] = SimpleQueue()

        async def handle() -> Any:
            method = await self._target()
            call = _ThreadCall(self._loop, partial(copy_context().run, method, job, *signal))
            calls.put(call)
            return await call.done

        running = asyncio.run_coroutine_threadsafe(self._attempt(job, handle), self._loop)
        running.add_done_callback(partial(_no_more, calls))
        while (call := calls.get()) is not None:
            call.make()
        return running.result()

    async def _attempt(self, job: SyncJob[Any, Any], handle: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await self._chain.run(async_job(job), job, handle)
        except SystemExit as error:  # of an enhancer: out of a task it would end the loop
            raise _carried(error, "an enhancer") from error


class EnhancedPool(ProcessPool):
    """A pool whose handlers run in processes, and their enhancers in this one.

    Attributes:
        chains: by the names of jobs; under None for all others.
    """

    chains: Mapping[str | None, Chain] = {}

    async def __call__(self, job: Job[Any, Any]) -> Any:
        chain = self.chains.get(job.name) or self.chains.get(None)
        if chain is None:
            return await super().__call__(job)
        return await chain.run(job, job, partial(super().__call__, job))


class _ThreadCall:
    """One call that the loop waits for and a thread makes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> None:
        self.done: asyncio.Future[Any] = loop.create_future()
        self._loop = loop
        self._function = function

    def make(self) -> None:
        """In the thread: call it, and hand over what came of it."""
        try:
            result, error = self._function(), None
        except Exception as raised:  # noqa: BLE001 - it is the chain's to see
            result, error = None, raised
        except BaseException as raised:  # noqa: BLE001 - no future can carry it, or it would end the loop
            result, error = None, _carried(raised)
        if isinstance(error, StopIteration):
            error = _carried(error)
        self._loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: Exception | None) -> None:
        if self.done.done():  # nobody waits any more
            return
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)


def _carried(error: BaseException, culprit: str = "the handler") -> RuntimeError:
    ended = RuntimeError(f"{culprit} raised {type(error).__name__}")
    ended.__cause__ = error
    return ended


def _no_more(calls: "SimpleQueue[_ThreadCall | None]", _: "Future[Any]") -> None:
    calls.put(None)
