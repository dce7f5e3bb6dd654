"""Endpoint: where Redis is and how to reach it, with everything redis-py would do on its own switched off.

redis-py 8 defaults to a 5 s socket timeout, ten retries, RESP3 and maintenance notifications. A blocking
read must outlive 5 s, and a retry would send a script twice that may have run, so connections made here
have none of these: what to retry is decided by the caller, per operation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection

from bullworks.redis.address import Address
from bullworks.redis.client_settings import address_of_client, group_of_client
from bullworks.redis.connect_failure import connect_error
from bullworks.redis.connection_options import ConnectionOptions, url_of
from bullworks.redis.errors import ConnectError
from bullworks.redis.group.group import Group
from bullworks.redis.group.hash_slot import slot_of
from bullworks.redis.group.inquiry import Inquiry, T
from bullworks.redis.group.located_pool import LocatedPool
from bullworks.redis.group.url import is_group_url, parse_group_url
from bullworks.redis.server import ASYNC_CONNECTIONS, Server
from bullworks.redis.url import parse_url

Client = redis.asyncio.Redis | redis.asyncio.RedisCluster
"""A client of the user's; only its settings are read."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Redis server, or a Sentinel or cluster group, and how to log in.

    Immutable; neither repr nor str shows the password.

    Attributes:
        address: of the server; of a group, how to log in to its servers.
        connect_timeout_ms: longest wait for a usable connection, finding the server included.
        group: sentinels or a cluster; None for one server.
    """

    address: Address
    connect_timeout_ms: int
    group: Group | None = None

    @classmethod
    def of(cls, target: str | ConnectionOptions | Client | Endpoint, *, connect_timeout_ms: int = 5_000) -> Endpoint:
        """Build the endpoint that a URL names or a client uses.

        Args:
            target: a URL (`redis://`, `rediss://`, `unix://`, `redis+sentinel://`, `redis+cluster://` ...), a
                redis.asyncio client, which is only read, ConnectionOptions, or an endpoint, which is returned as it is.
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
        group: Group | None
        if isinstance(target, Mapping):
            target = url_of(target)
        if isinstance(target, str):
            group = parse_group_url(target) if is_group_url(target) else None
            address = group.login if group is not None else parse_url(target)
        else:
            group = group_of_client(target)
            address = group.login if group is not None else address_of_client(target)
        return cls(address, address.connect_timeout_ms or connect_timeout_ms, group)

    def __repr__(self) -> str:
        return f"Endpoint({self.describe()})"

    @property
    def has_slots(self) -> bool:
        """Whether the endpoint is a cluster, where each key has a server of its own."""
        return self.group is not None and self.group.has_slots

    def describe(self) -> str:
        """Format the address as a URL with the password redacted, for messages."""
        return self.address.describe() if self.group is None else self.group.describe()

    async def locate(self, key: str | bytes | None = None, *, max_age_s: float = 0.0) -> Address:
        """Find the present server of a key: the master, or the owner of the key's slot; without a key any primary.

        Args:
            max_age_s: what was found so lately may be answered again.

        Raises:
            ConnectError: no server that knows could be asked, or there is no such server.
        """
        if self.group is None:
            return self.address
        slot = self.slot_of(key)
        recent = self.group.recent(slot, max_age_s) if max_age_s else None
        if recent is not None:
            return recent
        return await self._run_inquiry(self.group.find(slot, self._budget_ms))

    async def primaries(self) -> list[Endpoint]:
        """Find an endpoint for each server that holds keys, for callers that read all keys.

        Raises as `locate` does.
        """
        if self.group is None or not self.group.has_slots:
            return [self]
        addresses = await self._run_inquiry(self.group.primaries(self._budget_ms))
        return [Endpoint(address, self.connect_timeout_ms) for address in addresses]

    async def open(
        self, *, client_name: str | None = None, key: str | bytes | None = None, address: Address | None = None
    ) -> AbstractConnection:
        """Open a raw connection, authenticated, whose server answered a PING; in a group, to a master.

        It speaks RESP2, hands out bytes, never times out and never retries by itself.

        Args:
            key: whose server is meant, as of `locate`.
            address: the server, where it was located already.

        Raises:
            ConnectError: within connect_timeout_ms, with the reason.
        """
        if self.group is None:
            return await Server(self.address, self.connect_timeout_ms).open(client_name)
        begun_s = time.monotonic()
        address = address or await self.locate(key)
        left_ms = self.connect_timeout_ms - round((time.monotonic() - begun_s) * 1000)
        server = Server(address, max(left_ms, 1))
        connection = await server.open(client_name)
        try:
            info = await server.ask(connection, "INFO", "replication")
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if b"role:master" in info:
            return connection
        await connection.disconnect(nowait=True)
        reason = f"it is a replica now, though the {self.group.place} calls it a primary"
        raise ConnectError(address.place, "failover", reason, "A failover is in progress; try again in a moment.")

    def client(self, *, client_name: str | None = None, key: str | bytes | None = None) -> redis.asyncio.Redis:
        """Create a redis-py client for rare calls: bytes, no retries, every wait bounded by connect_timeout_ms.

        Args:
            key: of a cluster, whose server is meant; to look at all keys, take the client of each of `primaries`.
        """
        arguments = Server(self.address, self.connect_timeout_ms).client_arguments(client_name)
        arguments["connection_class"] = ASYNC_CONNECTIONS[self.address.transport]
        if self.group is None:
            pool = redis.asyncio.ConnectionPool(**arguments)
        else:
            pool = LocatedPool(lambda: self.locate(key), **arguments)
        return redis.asyncio.Redis.from_pool(pool)

    def sync_client(
        self, *, client_name: str | None = None, key: str | bytes | None = None, timeout_ms: int | None = None
    ) -> redis.Redis:
        """Create a blocking redis-py client, for the lock renewal threads and sync callers.

        Of a group the server is found now, so this waits; after an error close the client and ask for another.

        Args:
            timeout_ms: of each wait, where connect_timeout_ms is too long.

        Raises:
            ConnectError: of a group, as `locate`.
        """
        longest_ms = self.connect_timeout_ms if timeout_ms is None else min(timeout_ms, self.connect_timeout_ms)
        return Server(self._locate_blocking(key), longest_ms).blocking_client(client_name)

    def connect_error(self, error: BaseException) -> ConnectError:
        """Convert an error of `client` or `sync_client` to the ConnectError that `open` would raise."""
        if isinstance(error, ConnectError):
            return error
        return connect_error(error, self.address, self.connect_timeout_ms)

    def slot_of(self, key: str | bytes | None) -> int | None:
        """Compute the cluster slot of a key; None if the endpoint is not a cluster."""
        return slot_of(key) if key is not None and self.has_slots else None

    @property
    def _budget_ms(self) -> int:
        """For finding the server; the other half is for connecting to it."""
        return self.connect_timeout_ms // 2

    async def _run_inquiry(self, inquiry: Inquiry[T]) -> T:
        try:
            question = next(inquiry)
            while True:
                try:
                    reply = await Server(question.address, question.timeout_ms).answer(*question.command)
                except ConnectError as error:
                    question = inquiry.throw(error)
                else:
                    question = inquiry.send(reply)
        except StopIteration as end:
            found: T = end.value
            return found

    def _locate_blocking(self, key: str | bytes | None) -> Address:
        if self.group is None:
            return self.address
        inquiry = self.group.find(self.slot_of(key), self._budget_ms)
        try:
            question = next(inquiry)
            while True:
                try:
                    reply = Server(question.address, question.timeout_ms).answer_blocking(*question.command)
                except ConnectError as error:
                    question = inquiry.throw(error)
                else:
                    question = inquiry.send(reply)
        except StopIteration as end:
            found: Address = end.value
            return found
