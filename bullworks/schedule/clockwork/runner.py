"""Runner: runs callbacks, sync or async, and holds them until they have ended."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from bullworks.bullmq.worker.processor import is_async
from bullworks.core import most_arguments
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

T = TypeVar("T")

Callback = Callable[[], Any]
"""`async def`, or a plain function, which runs in a thread."""

ErrorHook = Callable[..., Any]
"""Called on a failure: (error, name of the job); may take fewer arguments, and may be async."""

# Sync callbacks running at once; more wait for a thread.
_THREADS = 32
# How long a callback that was cancelled may take to end.
_CANCELLED_S = 1.0


class Runner:
    """Runs the callbacks of one schedule.

    Args:
        on_error: called on each failure, besides the log.
    """

    def __init__(self, on_error: ErrorHook | None = None) -> None:
        self.on_error = on_error
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._in_threads: dict[asyncio.Future[Any], str] = {}

    @property
    def running(self) -> list[str]:
        """The callbacks that are running."""
        return sorted([*self._tasks.values(), *self._in_threads.values()])

    def start(self, name: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run an internal coroutine that ends by itself, in a task that `close` awaits."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._tasks.pop)
        return task

    async def call(self, name: str, callback: Callback) -> Exception | None:
        """Run a callback to its end. Its exception is logged, reported to the hook, and returned."""
        try:
            if is_async(callback):
                await callback()
            else:
                result = await self._in_thread(name, callback)
                if inspect.isawaitable(result):  # as from a lambda around a coroutine function
                    await result
        except Exception as error:
            log.exception("%s failed", name, extra={"job_name": name})
            await self._report(error, name)
            return error
        return None

    async def close(self, grace_s: float, forced: asyncio.Event | None = None) -> None:
        """Wait for running callbacks within the grace time, or until forced; cancel the rest.

        What runs in a thread cannot be cancelled: it is named in a warning, and left.
        """
        running = {*self._tasks, *self._in_threads}
        if running:
            log.info("waiting for %s", ", ".join(self.running))
            await _wait(running, grace_s, forced)
        late = [task for task in self._tasks if not task.done()]
        for task in late:
            log.warning("%s did not end in time, cancelled", self._tasks[task])
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCELLED_S)
        for future, name in self._in_threads.items():
            if not future.done():
                log.warning("%s did not end in time; its thread is still running", name)
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def _in_thread(self, name: str, callback: Callback) -> Any:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "schedule")
        call = partial(copy_context().run, callback)
        running = asyncio.get_running_loop().run_in_executor(self._threads, call)
        self._in_threads[running] = name
        running.add_done_callback(self._in_threads.pop)
        # shielded: cancelling a wait does not end a thread, and close() has to know that it is running
        return await asyncio.shield(running)

    async def _report(self, error: Exception, name: str) -> None:
        if self.on_error is None:
            return
        try:
            arguments = (error, name)
            result = self.on_error(*arguments[: most_arguments(self.on_error, 2)])
            if inspect.isawaitable(result):
                await result
        except Exception:
            log.exception("the error hook failed on what %s raised", name)


async def _wait(running: set[asyncio.Future[Any]], grace_s: float, forced: asyncio.Event | None) -> None:
    ended = asyncio.create_task(asyncio.wait(running, timeout=grace_s), name="schedule-wait")
    hurry = asyncio.create_task(asyncio.Event().wait() if forced is None else forced.wait(), name="schedule-hurry")
    try:
        await asyncio.wait({ended, hurry}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(ended, hurry)
