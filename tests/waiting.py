"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


async def eventually(probe: Callable[[], T | Awaitable[T]], *, within_s: float = 10.0, what: str = "") -> T:
    """The first truthy result of `probe`, which may be a coroutine function.

    Raises:
        AssertionError: there was none within `within_s`; it shows the last result.
    """
    deadline_s = time.monotonic() + within_s
    pause_s = _FIRST_PAUSE_S
    while True:
        result = probe()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"not within {within_s} s: {what or probe!r}; last seen: {result!r}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def wait_until(probe: Callable[[], T], *, within_s: float = 10.0, what: str = "") -> T:
    """The same for tests and fixtures without an event loop."""
    deadline_s = time.monotonic() + within_s
    pause_s = _FIRST_PAUSE_S
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"not within {within_s} s: {what or probe!r}; last seen: {result!r}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
