"""Repeating what is safe to repeat, while Redis is away for a moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.redis.errors import ConnectionLostError
from app.redis.server_error import ServerError

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5

# What a server answers during a restart or a failover, and not afterwards.
_PASSING = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN"})


async def persist(step: Callable[[], Awaitable[T]], until_s: float) -> T:
    """The result of `step`, which is taken again while the connection breaks or the server is not ready.

    Args:
        step: safe to repeat also where its reply was lost.
        until_s: when to give up, by the loop's clock.

    Raises:
        TimeoutError: there was no result until then.
        RedisError: what does not pass by itself.
    """
    pause_s = _FIRST_PAUSE_S
    async with asyncio.timeout_at(until_s):
        while True:
            try:
                return await step()
            except ConnectionLostError as error:
                log.debug("tried again: %s", error)
            except ServerError as error:
                if error.code not in _PASSING:
                    raise
                log.debug("tried again: %s", error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
