"""Waiting in a test for something to become true, with a deadline and without a fixed sleep."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


@overload
async def eventually(probe: Callable[[], Awaitable[T]], *, within_s: float = ..., what: str = ...) -> T: ...
@overload
async def eventually(probe: Callable[[], T], *, within_s: float = ..., what: str = ...) -> T: ...
async def eventually(probe: Callable[[], Any], *, within_s: float = 10.0, what: str = "") -> Any:
    """Wait for the first truthy result of `probe`, a function or a coroutine function.

    Args:
        within_s: seconds, by the real clock, after which it has failed.
        what: for the message.

    Raises:
        AssertionError: there was none in time; it shows the last result.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    pause_s = _FIRST_PAUSE_S
    while True:
        result = probe()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if loop.time() >= deadline_s:
            raise AssertionError(f"not within {within_s} s: {what or repr(probe)}; last seen: {result!r}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
