"""Endpoint: where Redis is and how to reach it, with everything redis-py would do on its own switched off.

redis-py 8 defaults to a 5 s socket timeout, ten retries, RESP3 and maintenance notifications. A blocking
read must outlive 5 s, and a retry would send a script twice that may have run, so connections made here
have none of these: what to retry is decided by the caller, per operation.
"""

from __future__ import annotations

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

from app.redis.address import Address, Transport
from app.redis.client_settings import address_of_client
from app.redis.connect_failure import connect_error
from app.redis.errors import ConnectError
from app.redis.url import parse_url

_ASYNC_CONNECTIONS: Mapping[Transport, type[Connection | UnixDomainSocketConnection]] = {
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
class Endpoint:
    """One Redis server and the way to log in to it. Immutable; neither repr nor str shows the password."""

    address: Address
    connect_timeout_ms: int

    @classmethod
    def of(cls, target: str | redis.asyncio.Redis | Endpoint, *, connect_timeout_ms: int = 5_000) -> Endpoint:
        """The endpoint that a URL names or a client uses.

        Args:
            target: a URL (`redis://`, `rediss://`, `unix://`), a redis.asyncio client, which is only read,
                or an endpoint, which is returned as it is.
            connect_timeout_ms: longest wait for a usable connection, milliseconds, > 0. A client's own
                `socket_connect_timeout`, or a URL's, goes first.

        Raises:
            BadUrlError: the URL is malformed or its scheme unknown.
            UnusableClientError: the client's settings cannot be read back; give a URL.
            ValueError: connect_timeout_ms is not positive.
        """
        if isinstance(target, Endpoint):
            return target
        if connect_timeout_ms <= 0:
            raise ValueError(f"connect_timeout_ms must be > 0, not {connect_timeout_ms}")
        address = parse_url(target) if isinstance(target, str) else address_of_client(target)
        return cls(address, address.connect_timeout_ms or connect_timeout_ms)

    def __repr__(self) -> str:
        return f"Endpoint({self.describe()})"

    def describe(self) -> str:
        """The address as a URL with the password redacted, for messages."""
        return self.address.describe()

    async def open(self, *, client_name: str | None = None) -> AbstractConnection:
        """A connected, authenticated raw connection that has answered a PING.

        It speaks RESP2, hands out bytes, never times out and never retries by itself.

        Raises:
            ConnectError: within connect_timeout_ms, with the reason.
        """
        arguments = self._arguments(AsyncRetry(NoBackoff(), 0), client_name, socket_timeout_s=None)
        connection = _ASYNC_CONNECTIONS[self.address.transport](**arguments)
        try:
            async with asyncio.timeout(self.connect_timeout_ms / 1000):
                await connection.connect_check_health(retry_socket_connect=False)
                # A server that is loading lets clients log in; only an ordinary command tells.
                await connection.send_command("PING")
                await connection.read_response()
                return connection
        except (redis.RedisError, OSError, TimeoutError, EOFError) as error:
            failure = connect_error(error, self.address, self.connect_timeout_ms)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        await connection.disconnect(nowait=True)
        raise failure

    def client(self, *, client_name: str | None = None) -> redis.asyncio.Redis:
        """An ordinary client for rare calls: bytes, no retries, every wait bounded by connect_timeout_ms."""
        arguments = self._pool_arguments(AsyncRetry(NoBackoff(), 0), client_name)
        connection_class = _ASYNC_CONNECTIONS[self.address.transport]
        pool = redis.asyncio.ConnectionPool(connection_class=connection_class, **arguments)
        return redis.asyncio.Redis.from_pool(pool)

    def sync_client(self, *, client_name: str | None = None) -> redis.Redis:
        """The same as `client`, blocking: for the lock renewal thread and sync callers."""
        arguments = self._pool_arguments(Retry(NoBackoff(), 0), client_name)
        arguments["connection_class"] = _SYNC_CONNECTIONS[self.address.transport]
        pool = redis.ConnectionPool(**arguments)
        return redis.Redis.from_pool(pool)

    def connect_error(self, error: BaseException) -> ConnectError:
        """What `open` would raise for `error`: for callers of `client` and `sync_client`."""
        return connect_error(error, self.address, self.connect_timeout_ms)

    def _pool_arguments(self, retry: AsyncRetry | Retry, client_name: str | None) -> dict[str, Any]:
        arguments = self._arguments(retry, client_name, self.connect_timeout_ms / 1000)
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
            "socket_connect_timeout": self.connect_timeout_ms / 1000,
            "retry": retry,
            "protocol": 2,
            "decode_responses": False,
            "client_name": client_name,
            "driver_info": None,  # CLIENT SETINFO costs a reply and is outside the minimal ACL
            "health_check_interval": 0,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
