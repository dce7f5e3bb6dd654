"""BackgroundLoop: one event loop in a thread, for programs that have none. One per process, also after a fork."""

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from bullworks.bullmq.errors import QueueError

T = TypeVar("T")

# More than connecting (5 s) and a reply (10 s) may take: past it the loop itself is stuck.
WAIT_S = 30.0


@dataclass(eq=False)
class LoopBlockedError(QueueError, TimeoutError):
    """The event loop did not run a call within its time; whether Redis got it is unknown."""

    wait_s: float

    def __str__(self) -> str:
        return f"no answer from the event loop within {self.wait_s:g} s: it is blocked, or has ended"


def call(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, *, wait_s: float = WAIT_S) -> T:
    """Run `coroutine` on `loop`, which another thread runs, and return its result.

    Raises:
        LoopBlockedError: no result within `wait_s`.
        RuntimeError: this thread runs that loop, which would wait for itself; or the loop is closed.
    """
    if _runs_here(loop):
        coroutine.close()
        raise RuntimeError("a blocking call on the event loop's own thread would never return; use the async class")
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:  # the loop is closed
        coroutine.close()
        raise
    try:
        return future.result(wait_s)
    except concurrent.futures.TimeoutError:
        if future.done():  # the coroutine's own
            raise
        future.cancel()
        raise LoopBlockedError(wait_s) from None


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


# At exit Redis may be away; the program must end all the same.
_EXIT_WAIT_S = 2.0


class BackgroundLoop:
    """Runs coroutines for blocking callers, from any thread; ends with the process.

    Attributes:
        at_exit: what is awaited first when the process ends.
    """

    _of_this_process: "BackgroundLoop | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.at_exit: set[Callable[[], Coroutine[Any, Any, None]]] = set()
        self._thread = threading.Thread(target=self._run, name="bullworks-sync", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @classmethod
    def current(cls) -> "BackgroundLoop":
        """The event loop of this process; a forked child gets a new one, as threads do not survive a fork."""
        with cls._lock:
            if cls._of_this_process is None:
                cls._of_this_process = cls()
            return cls._of_this_process

    @classmethod
    def after_fork(cls) -> None:
        """In a forked child: discard the parent's loop, and its lock, which a parent's thread may have held."""
        cls._lock = threading.Lock()
        cls._of_this_process = None

    def call(self, coroutine: Coroutine[Any, Any, T], *, wait_s: float = WAIT_S) -> T:
        """Run a coroutine on the loop and return its result. Raises as `call` does."""
        return call(coroutine, self.loop, wait_s=wait_s)

    def close(self) -> None:
        """End the thread and what it still runs. Closing twice, or in a forked child, is fine."""
        if self.pid != os.getpid() or not self._thread.is_alive():
            return
        with contextlib.suppress(TimeoutError):
            self.call(self._let_go(), wait_s=_EXIT_WAIT_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_EXIT_WAIT_S)

    async def _let_go(self) -> None:
        await asyncio.gather(*(close() for close in self.at_exit), return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=BackgroundLoop.after_fork)
