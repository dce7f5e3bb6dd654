"""Looking at locks without a lock service: for the board."""

import asyncio

from bullworks.locks.errors import InvalidLockError
from bullworks.locks.holder import LockView
from bullworks.locks.keys import NAMES, LockKeys
from bullworks.locks.lock_scripts import LockScripts
from bullworks.redis import PipelinedConnection


async def read_locks(connection: PipelinedConnection, most: int) -> tuple[list[LockView], int]:
    """Read the held locks by name, and how many names were requested lately, held or not.

    Args:
        most: names that are looked at.
    """
    names, total = await asyncio.gather(
        connection.execute("ZRANGE", NAMES, 0, most - 1), connection.execute("ZCARD", NAMES)
    )
    scripts = LockScripts(connection)
    views = await asyncio.gather(*(_read(scripts, name.decode("utf-8", "replace")) for name in names))
    return sorted((view for view in views if view is not None), key=lambda view: view.name), total


async def _read(scripts: LockScripts, name: str) -> LockView | None:
    try:
        return await scripts.read(LockKeys(name))
    except InvalidLockError:  # its key is something else; the others are shown
        return None
