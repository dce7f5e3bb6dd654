"""Repeating what is safe to repeat, while Redis is away for a moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bullworks.redis.errors import ConnectError, ConnectionLostError, RedisError
from bullworks.redis.server_error import ServerError

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5

# What is so during a restart or a failover, and not afterwards.
_PASSING_ANSWERS = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN"})
_PASSING_FAILURES = frozenset({"closed", "loading", "refused", "timeout"})


async def persist(step: Callable[[], Awaitable[T]], until_s: float) -> T:
    """Return the result of `step`, retried while the connection breaks or the server is not ready.

    Args:
        step: safe to repeat also where its reply was lost.
        until_s: when to give up, by the loop's clock.

    Raises:
        TimeoutError: there was no result until then; its cause is the last error, if there was one.
        RedisError: what does not pass by itself.
    """
    pause_s = _FIRST_PAUSE_S
    last: RedisError | None = None
    try:
        async with asyncio.timeout_at(until_s):
            while True:
                try:
                    return await step()
                except RedisError as error:
                    if not _passes(error):
                        raise
                    log.debug("retrying: %s", error)
                    last = error
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    except TimeoutError:
        raise TimeoutError from last


def _passes(error: RedisError) -> bool:
    if isinstance(error, ServerError):
        return error.code in _PASSING_ANSWERS
    if isinstance(error, ConnectError):
        return error.kind in _PASSING_FAILURES
    return isinstance(error, ConnectionLostError)
