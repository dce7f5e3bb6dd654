"""Trying a command again that a server of a group refused without having done anything."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bullworks.redis.pace import retry_pause_s
from bullworks.redis.server_error import ServerError

# A slot is handed over in milliseconds; a failover takes seconds.
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25


async def persist(
    refused: ServerError,
    again: Callable[[], Awaitable[Any]],
    ask: Callable[[ServerError], Awaitable[Any]],
    *,
    follows: Callable[[ServerError], bool],
    patience_s: float,
) -> Any:
    """Return the reply to a command, retrying until a server gives one.

    Args:
        refused: the answer so far.
        again: tries it at the server that is thought to be the right one.
        ask: tries it once at the server that an ASK names.
        follows: whether nothing was done after an answer, and there may be a better one.
        patience_s: past it the last refusal is raised.

    Raises:
        ServerError: the last refusal, or another error, which may mean that it was done.
    """
    time = asyncio.get_running_loop().time
    give_up_s = time() + patience_s
    refusals = 0
    while True:
        try:
            return await (ask(refused) if refused.code == "ASK" else again())
        except ServerError as error:
            if not follows(error) or time() > give_up_s:
                raise
            refused = error
        refusals += 1
        await asyncio.sleep(retry_pause_s(refusals, _FIRST_PAUSE_S, _LONGEST_PAUSE_S))
