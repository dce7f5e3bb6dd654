"""Shared connections: one to each server on an event loop, for all that is made with the server's URL."""

import asyncio
from weakref import WeakKeyDictionary, WeakValueDictionary

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection


class Lease:
    """A right to use a connection, until it is ended.

    Attributes:
        connection: what is used. After the end it refuses commands, unless it was somebody's own to begin with.

    Args:
        shared: whose connection it is; None means the user's own, which stays open.
    """

    __slots__ = ("_shared", "connection")

    def __init__(self, connection: PipelinedConnection, shared: "_Shared | None" = None) -> None:
        self.connection = connection
        self._shared = shared

    async def end(self) -> PipelinedConnection:
        """Give the connection back, and close it if nobody else uses it; returns what stands in its place."""
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.users -= 1
            if not shared.users:
                shared.forget()
                await shared.connection.close()
            else:
                self.connection = connection_to(self.connection.endpoint)
                await self.connection.close()
        return self.connection


class _Shared:
    """A connection and how many use it.

    Args:
        kept_in: where others find it; None means nobody does.
    """

    __slots__ = ("__weakref__", "_kept_in", "connection", "users")

    def __init__(
        self, connection: PipelinedConnection, kept_in: "WeakValueDictionary[Endpoint, _Shared] | None" = None
    ) -> None:
        self.connection = connection
        self._kept_in = kept_in
        self.users = 1

    def forget(self) -> None:
        """Let nobody else find it."""
        if self._kept_in is not None and self._kept_in.get(self.connection.endpoint) is self:
            del self._kept_in[self.connection.endpoint]


# Weak on both sides: a connection knows its loop, and would keep one that has ended, where somebody forgot to close.
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Endpoint, _Shared]] = WeakKeyDictionary()


def lease_connection(endpoint: Endpoint, *, key: str | None = None) -> Lease:
    """Lease a connection to a server, shared with all who ask for the same on this event loop.

    Without a running loop, on which it would be used first is not known: then, and for a part of a cluster, it is a
    connection of its own.

    Args:
        key: as of `connection_to`.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _own(endpoint, key)
    if endpoint.has_slots:
        return _own(endpoint, key)
    here = _shared.setdefault(loop, WeakValueDictionary())
    found = here.get(endpoint)
    if found is not None and found.connection.is_sharable:
        found.users += 1
    else:  # to whoever comes while Redis is away, a connection of its own says so at once
        found = here[endpoint] = _Shared(connection_to(endpoint), here)
    return Lease(found.connection, found)


def _own(endpoint: Endpoint, key: str | None) -> Lease:
    connection = connection_to(endpoint, key=key)
    return Lease(connection, _Shared(connection))
