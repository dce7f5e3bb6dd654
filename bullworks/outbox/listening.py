"""Listening: Postgres's notifications of new rows, over a connection of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bullworks.outbox.database import Database
from bullworks.outbox.rows import CHANNEL

_DRIVERS = frozenset({"asyncpg", "psycopg"})
# A connection that a firewall dropped in silence would be listened to for ever.
_PROBE_S = 60.0
_PROBE = "VALUES (1)"


def can_listen(database: Database) -> bool:
    """Whether its driver hears notifications: asyncpg, or psycopg 3 with an async engine. Others are polled for."""
    return isinstance(database.engine, AsyncEngine) and database.engine.dialect.driver in _DRIVERS


async def listen(database: Database, woken: Callable[[], None]) -> None:
    """Call `woken` with each notification, and once the listening has begun; ends by raising.

    Raises:
        Exception: what the driver raises when its connection is lost.
    """
    assert isinstance(database.engine, AsyncEngine)  # noqa: S101 - `can_listen`
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        raw: Any = (await connection.get_raw_connection()).driver_connection
        try:
            if database.engine.dialect.driver == "asyncpg":
                await _by_asyncpg(raw, woken)
            else:
                await _by_psycopg(raw, woken)
        finally:
            await _discard(connection)


async def _by_asyncpg(raw: Any, woken: Callable[[], None]) -> None:
    await raw.add_listener(CHANNEL, lambda *_: woken())
    woken()
    while True:
        await asyncio.sleep(_PROBE_S)
        await raw.execute(_PROBE)


async def _by_psycopg(raw: Any, woken: Callable[[], None]) -> None:
    await raw.execute(f"LISTEN {CHANNEL}")
    woken()
    while True:
        async for _ in raw.notifies(timeout=_PROBE_S):
            woken()
        await raw.execute(_PROBE)


async def _discard(connection: AsyncConnection) -> None:
    """Keep a connection that listens out of the user's pool."""
    await connection.invalidate()
