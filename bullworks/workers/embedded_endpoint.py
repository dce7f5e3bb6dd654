"""EmbeddedEndpoint: the embedded server of a data folder, held from the moment of the first connection on."""

import asyncio
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection

from bullworks.redis import Address, ConnectError, EmbeddedServerError, Endpoint, parse_url
from bullworks.redis.embedded import EmbeddedServer

# Nothing listens there: the port is known once the server runs.
_NOT_YET = parse_url("redis://127.0.0.1:1/0")
_CONNECT_TIMEOUT_MS = 5_000


class EmbeddedEndpoint(Endpoint):
    """The endpoint of an embedded server, which starts with the first connection.

    `close()` lets go of the server, which stops if no other process uses it.
    """

    __slots__ = ("_hold",)

    _hold: "_Hold"

    def __init__(self, folder: Path) -> None:
        super().__init__(_NOT_YET, _CONNECT_TIMEOUT_MS)
        object.__setattr__(self, "_hold", _Hold(folder))  # the base is frozen

    # One place each; the base class compares addresses, and before the start they are all alike.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def describe(self) -> str:
        """Describe the server's URL with the password redacted; the folder, as long as it is not started."""
        real = self._hold.real
        return f"the embedded server in {self._hold.folder}" if real is None else real.describe()

    async def locate(self, key: str | bytes | None = None, *, max_age_s: float = 0.0) -> Address:  # noqa: ARG002
        """Locate the server, starting it if need be."""
        return (await self._hold.attach()).address

    async def open(self, **options: Any) -> AbstractConnection:
        """Open a connection, once the server is running; see Endpoint.open.

        Raises:
            EmbeddedServerError: the folder cannot be used, no server program is found, or it does not start.
            ConnectError: as Endpoint.open.
        """
        return await (await self._hold.attach()).open(**options)

    def client(self, **options: Any) -> redis.asyncio.Redis:
        """Create a client; see Endpoint.client. With no connection opened before, waits for the server to start."""
        return self._hold.attach_blocking().client(**options)

    def sync_client(self, **options: Any) -> redis.Redis:
        """Create a blocking client, waiting for the server as `client` does."""
        return self._hold.attach_blocking().sync_client(**options)

    def connect_error(self, error: BaseException) -> ConnectError:
        """Convert an error to a ConnectError; see Endpoint.connect_error."""
        real = self._hold.real
        return super().connect_error(error) if real is None else real.connect_error(error)

    async def close(self) -> None:
        """Detach from the server; twice, or with none started, is fine."""
        await self._hold.close()


class _Hold:
    """The server, once it was requested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.real: Endpoint | None = None
        self._server: EmbeddedServer | None = None
        self._attaching = asyncio.Lock()
        self._is_closed = False

    async def attach(self) -> Endpoint:
        async with self._attaching:
            self._refuse_if_closed()
            return self.real or self._has(await EmbeddedServer.attach_async(self.folder))

    def attach_blocking(self) -> Endpoint:
        self._refuse_if_closed()
        return self.real or self._has(EmbeddedServer.attach(self.folder))

    async def close(self) -> None:
        # Where it was stays known: later callers learn that nothing answers there.
        self._is_closed = True
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.close)

    def _refuse_if_closed(self) -> None:
        if self._is_closed and self.real is None:
            raise EmbeddedServerError(str(self.folder), "it was closed before it was used", "Make a new application.")

    def _has(self, server: EmbeddedServer) -> Endpoint:
        self._server = server
        self.real = Endpoint.of(server.url, connect_timeout_ms=_CONNECT_TIMEOUT_MS)
        return self.real
