"""The settings of a redis.asyncio client that the user made, read back.

The engine opens raw connections of its own, and a sync client for the thread that renews locks, so a
client is taken as a description of a server, or of a group of servers, and never used itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis.asyncio
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import (
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from bullworks.redis.address import Address, Transport
from bullworks.redis.errors import UnusableClientError
from bullworks.redis.group.cluster import Cluster
from bullworks.redis.group.sentinels import Sentinels

# Compared by identity: a subclass connects in a way of its own, which a sync client would lack.
_TRANSPORTS: Mapping[object, Transport] = {
    Connection: "tcp",
    SSLConnection: "tls",
    UnixDomainSocketConnection: "unix",
}
_SENTINEL_TRANSPORTS: Mapping[object, Transport] = {
    SentinelManagedConnection: "tcp",
    SentinelManagedSSLConnection: "tls",
}


def address_of_client(client: object) -> Address:
    """Read the address of the server that `client` talks to.

    Raises:
        UnusableClientError: it is a mock or a sync client, or connects in its own way.
    """
    if not isinstance(client, redis.asyncio.Redis):
        raise UnusableClientError(_name(client), "it is not a redis.asyncio.Redis")
    pool = getattr(client, "connection_pool", None)
    if not isinstance(pool, redis.asyncio.ConnectionPool):
        raise UnusableClientError(_name(client), "it has no connection pool of redis-py")
    return _address(client, _TRANSPORTS.get(pool.connection_class), pool.connection_kwargs)


def group_of_client(client: object) -> Sentinels | Cluster | None:
    """Read the Sentinels or the cluster behind `client`; None if it has a single server.

    Raises:
        UnusableClientError: as of `address_of_client`, or it finds them in its own way.
    """
    if isinstance(client, redis.asyncio.RedisCluster):
        return _cluster(client)
    pool = getattr(client, "connection_pool", None)
    return _sentinels(client, pool) if isinstance(pool, SentinelConnectionPool) else None


def _sentinels(client: object, pool: SentinelConnectionPool) -> Sentinels:
    manager = pool.sentinel_manager
    if not isinstance(manager, redis.asyncio.Sentinel):
        raise UnusableClientError(_name(client), "its sentinels are not a redis.asyncio.Sentinel")
    if not pool.is_master:
        raise UnusableClientError(_name(client), "it reads from replicas; jobs need master_for()")
    if getattr(manager, "_force_master_ip", None) is not None:
        raise UnusableClientError(_name(client), "its Sentinel has a force_master_ip")
    login = _address(client, _SENTINEL_TRANSPORTS.get(pool.connection_class), pool.connection_kwargs)
    nodes = [address_of_client(sentinel) for sentinel in manager.sentinels]
    return Sentinels(str(pool.service_name), nodes, login)


def _cluster(client: redis.asyncio.RedisCluster) -> Cluster:
    if client.nodes_manager.address_remap is not None:
        raise UnusableClientError(_name(client), "it has an address_remap")
    # It sets this to read from replicas, which is not done here.
    settings = {name: value for name, value in client.connection_kwargs.items() if name != "redis_connect_func"}
    login = _address(client, _TRANSPORTS.get(settings.get("connection_class")), settings)
    return Cluster([login.at(str(node.host), int(node.port)) for node in client.startup_nodes])


def _address(client: object, transport: Transport | None, settings: Mapping[str, Any]) -> Address:
    if transport is None:
        raise UnusableClientError(_name(client), "its connection class is not one of redis-py's")
    if settings.get("redis_connect_func") is not None:
        raise UnusableClientError(_name(client), "it runs a redis_connect_func of its own on connecting")
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


def _name(client: object) -> str:
    return f"{type(client).__module__}.{type(client).__qualname__}"


def _is_kept(key: str, value: object) -> bool:
    if key == "socket_keepalive_options":
        return isinstance(value, Mapping)  # redis-py marks "not given" with an object of its own
    return value is not None and (key.startswith("ssl_") or key in {"socket_keepalive", "socket_type"})


def _password(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if value is None else str(value)
