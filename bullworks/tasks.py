"""How the owner of tasks ends them."""

import asyncio
from collections.abc import Collection
from typing import Any


async def cancel_and_wait(*tasks: asyncio.Future[Any] | None) -> None:
    """Cancel tasks and wait until they have ended, whatever they raise. None, or a task that has ended, is fine."""
    begun = [task for task in tasks if task is not None]
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


async def wait_or_cancel(tasks: Collection[asyncio.Future[Any]], patience_s: float) -> bool:
    """Let tasks end by themselves for a while, then cancel those that have not.

    Args:
        patience_s: how long to wait before that, seconds.

    Returns:
        Whether all ended by themselves.
    """
    if not tasks:
        return True
    _, late = await asyncio.wait(tasks, timeout=patience_s)
    await cancel_and_wait(*late)
    return not late
