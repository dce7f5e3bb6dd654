"""Database: transactions of a SQLAlchemy engine, async or sync, that do not hold up the event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from bullworks.outbox.errors import UnsupportedDatabaseError

T = TypeVar("T")

Run = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""Calls a plain function with the transaction's connection: in a thread, or in SQLAlchemy's greenlet."""

POSTGRES, SQLITE = "postgresql", "sqlite"


class Database:
    """Begins transactions on the user's engine.

    Args:
        engine: for Postgres or SQLite; it stays the caller's to dispose of.

    Raises:
        UnsupportedDatabaseError: it is for another database.
    """

    def __init__(self, engine: Engine | AsyncEngine) -> None:
        if engine.dialect.name not in (POSTGRES, SQLITE):
            raise UnsupportedDatabaseError(engine.dialect.name)
        self.engine = engine
        self.is_postgres = engine.dialect.name == POSTGRES

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Run]:
        """Begin a transaction: committed at the end, rolled back if anything is raised."""
        if isinstance(self.engine, AsyncEngine):
            async with self.engine.begin() as connection:
                yield connection.run_sync
        else:
            blocking = await in_thread(self.engine.connect)
            try:
                yield lambda call: in_thread(lambda: call(blocking))
                await in_thread(blocking.commit)
            finally:
                await in_thread(blocking.close)


async def in_thread(call: Callable[[], T]) -> T:
    """Call a function in a thread. A cancellation waits until it has returned: the connection is then free again."""
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait((running,))
        raise
