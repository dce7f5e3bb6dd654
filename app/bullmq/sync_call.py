"""Calling the loop from a thread, and waiting for what it answers."""

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.bullmq.errors import QueueError

T = TypeVar("T")

# More than connecting (5 s) and a reply (10 s) may take: past it the loop itself is stuck.
WAIT_S = 30.0


class LoopBlockedError(QueueError, TimeoutError):
    """The event loop did not run a call within its time; whether Redis got it is unknown."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s

    def __str__(self) -> str:
        return f"no answer from the event loop within {self.wait_s:g} s: something blocks it, or it has ended"


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
