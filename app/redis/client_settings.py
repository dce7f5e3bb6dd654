"""The settings of a redis.asyncio client that the user made, read back as an Address.

The engine opens raw connections of its own, and a sync client for the thread that renews locks, so a
client is taken as a description of a server, never used itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis.asyncio
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from app.redis.address import Address, Transport
from app.redis.errors import UnusableClientError

_TRANSPORTS: Mapping[object, Transport] = {
    Connection: "tcp",
    SSLConnection: "tls",
    UnixDomainSocketConnection: "unix",
}


def address_of_client(client: object) -> Address:
    """The server that `client` talks to.

    Raises:
        UnusableClientError: it is a mock, a sentinel, cluster or sync client, or connects in its own way.
    """
    name = f"{type(client).__module__}.{type(client).__qualname__}"
    if not isinstance(client, redis.asyncio.Redis):
        raise UnusableClientError(name, "it is not a redis.asyncio.Redis")
    pool = getattr(client, "connection_pool", None)
    if isinstance(pool, SentinelConnectionPool):
        raise UnusableClientError(name, "Sentinel is not supported yet; it comes with the next release")
    if not isinstance(pool, redis.asyncio.ConnectionPool):
        raise UnusableClientError(name, "it has no connection pool of redis-py")
    # Compared by identity: a subclass connects in a way of its own, which a sync client would lack.
    transport = _TRANSPORTS.get(pool.connection_class)
    settings: Mapping[str, Any] = pool.connection_kwargs
    if transport is None:
        raise UnusableClientError(name, "its connection class is not one of redis-py's")
    if settings.get("redis_connect_func") is not None:
        raise UnusableClientError(name, "it runs a redis_connect_func of its own on connecting")
    timeout_s = settings.get("socket_connect_timeout")
    return Address(
        transport=transport,
        host=str(settings.get("host") or "localhost"),
        port=int(settings.get("port") or 6379),
        path=str(settings.get("path") or ""),
        db=int(settings.get("db") or 0),
        username=settings.get("username"),
        password=_password(settings.get("password")),
        credentials=settings.get("credential_provider"),
        connect_timeout_ms=None if timeout_s is None else max(1, round(float(timeout_s) * 1000)),
        options=tuple((key, settings[key]) for key in sorted(settings) if _is_kept(key, settings[key])),
    )


def _is_kept(key: str, value: object) -> bool:
    if key == "socket_keepalive_options":
        return isinstance(value, Mapping)  # redis-py marks "not given" with an object of its own
    return value is not None and (key.startswith("ssl_") or key in {"socket_keepalive", "socket_type"})


def _password(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if value is None else str(value)
