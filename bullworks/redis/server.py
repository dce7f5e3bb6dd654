"""Server: one Redis server and how a connection to it is made."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from bullworks.redis.address import Address, Transport
from bullworks.redis.connect_failure import connect_error

ASYNC_CONNECTIONS: Mapping[Transport, type[Connection | UnixDomainSocketConnection]] = {
    "tcp": Connection,
    "tls": SSLConnection,
    "unix": UnixDomainSocketConnection,
}
_SYNC_CONNECTIONS: Mapping[Transport, type[redis.Connection | redis.UnixDomainSocketConnection]] = {
    "tcp": redis.Connection,
    "tls": redis.SSLConnection,
    "unix": redis.UnixDomainSocketConnection,
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server's address and login, and the timeout of connecting to it."""

    address: Address
    timeout_ms: int

    async def open(self, client_name: str | None = None) -> AbstractConnection:
        """Open a raw connection, authenticated, whose server answered a PING.

        Raises:
            ConnectError: within timeout_ms, with the reason.
        """
        arguments = self._arguments(AsyncRetry(NoBackoff(), 0), client_name, socket_timeout_s=None)
        connection = ASYNC_CONNECTIONS[self.address.transport](**arguments)
        try:
            async with asyncio.timeout(self.timeout_ms / 1000):
                await connection.connect_check_health(retry_socket_connect=False)
                # A server that is loading lets clients log in; only an ordinary command tells.
                await connection.send_command("PING")
                await connection.read_response()
                return connection
        except (redis.RedisError, OSError, TimeoutError, EOFError) as error:
            failure = connect_error(error, self.address, self.timeout_ms)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        await connection.disconnect(nowait=True)
        raise failure

    async def answer(self, *command: str | int) -> Any:
        """Send one command over its own connection; returns the raw reply. Raises as `open` does."""
        connection = await self.open()
        try:
            return await self.ask(connection, *command)
        finally:
            await connection.disconnect(nowait=True)

    async def ask(self, connection: AbstractConnection, *command: str | int) -> Any:
        """Send one command over a connection that `open` made; returns the raw reply. Raises as `open` does."""
        try:
            async with asyncio.timeout(self.timeout_ms / 1000):
                await connection.send_command(*command)
                return await connection.read_response()
        except (redis.RedisError, OSError, TimeoutError, EOFError) as error:
            failure = connect_error(error, self.address, self.timeout_ms)
        raise failure

    def answer_blocking(self, *command: str | int) -> Any:
        """Send one command, blocking; returns the raw reply. Raises as `open` does."""
        arguments = self._arguments(Retry(NoBackoff(), 0), None, self.timeout_ms / 1000)
        connection = _SYNC_CONNECTIONS[self.address.transport](**arguments)
        try:
            connection.connect()  # type: ignore[no-untyped-call]
            connection.send_command(*command)  # type: ignore[no-untyped-call]
            return connection.read_response()
        except (redis.RedisError, OSError, TimeoutError, EOFError) as error:
            failure = connect_error(error, self.address, self.timeout_ms)
        finally:
            connection.disconnect()  # type: ignore[no-untyped-call]
        raise failure

    def client_arguments(self, client_name: str | None) -> dict[str, Any]:
        """Build the arguments of a redis.asyncio pool whose connections wait `timeout_ms` at most."""
        return self._pool_arguments(AsyncRetry(NoBackoff(), 0), client_name)

    def blocking_client(self, client_name: str | None) -> redis.Redis:
        """Create a blocking redis-py client: bytes, no retries, every wait bounded by timeout_ms."""
        arguments = self._pool_arguments(Retry(NoBackoff(), 0), client_name)
        arguments["connection_class"] = _SYNC_CONNECTIONS[self.address.transport]
        return redis.Redis.from_pool(redis.ConnectionPool(**arguments))

    def _pool_arguments(self, retry: AsyncRetry | Retry, client_name: str | None) -> dict[str, Any]:
        arguments = self._arguments(retry, client_name, self.timeout_ms / 1000)
        if self.address.transport == "tls":
            # redis-py's pools refuse a new connection with something to read, and TLS 1.3 servers send
            # session tickets unasked. Asking anything reads them away; CLIENT SETINFO may fail harmlessly.
            del arguments["driver_info"]
        return arguments

    def _arguments(
        self, retry: AsyncRetry | Retry, client_name: str | None, socket_timeout_s: float | None
    ) -> dict[str, Any]:
        return {
            **self.address.connection_arguments(),
            "socket_timeout": socket_timeout_s,
            "socket_connect_timeout": self.timeout_ms / 1000,
            "retry": retry,
            "protocol": 2,
            "decode_responses": False,
            "client_name": client_name,
            "driver_info": None,  # CLIENT SETINFO costs a reply and is outside the minimal ACL
            "health_check_interval": 0,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
