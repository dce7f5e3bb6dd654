"""LocatedPool: connections to whichever server is the right one when they are needed."""

from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio
from redis.asyncio.connection import AbstractConnection, Connection

from bullworks.redis.address import Address


class LocatedPool(redis.asyncio.ConnectionPool):
    """A redis-py pool for rare calls that keeps no connection: each call locates its server again."""

    def __init__(self, locate: Callable[[], Awaitable[Address]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._locate = locate

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        if isinstance(connection, Connection):
            address = await self._locate()
            connection.host, connection.port = address.host, address.port
        await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        await connection.disconnect()
        await super().release(connection)
