"""The socket below a PipelinedConnection, and the one place that touches private parts of redis-py.

redis-py's connection is made and authenticated by redis-py. ProtocolWire then takes its transport over, so that
bytes go straight from the event loop to hiredis. Where a redis-py hides its transport elsewhere, StreamWire does
the same through the public `read_response`, slower.
"""

import asyncio
from typing import Any, Protocol

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from bullworks.redis.server_error import ServerError

_CODES = {
    "NoScriptError": "NOSCRIPT",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "TryAgainError": "TRYAGAIN",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
}


class Listener(Protocol):
    """Receiver of replies, which come in the order of the commands."""

    def replied(self, reply: Any) -> None: ...

    def progressed(self, now_s: float) -> None: ...

    def lost(self, reason: str) -> None: ...


class ProtocolWire(asyncio.Protocol):
    """A wire that reads and writes the transport itself; all complete replies of a wake-up are passed on at once."""

    def __init__(self, listener: Listener, reader: hiredis.Reader, transport: Any, keep_alive: tuple[Any, ...]) -> None:
        self._listener = listener
        self._reader = reader
        self._transport = transport
        self._time = asyncio.get_running_loop().time
        # The stream objects close the transport when they are collected.
        self._keep_alive = keep_alive

    @classmethod
    def take_over(
        cls, connection: AbstractConnection, listener: Listener, reader: hiredis.Reader
    ) -> "ProtocolWire | None":
        """Take over a connected connection's transport; None if redis-py keeps it elsewhere."""
        stream_reader = getattr(connection, "_reader", None)
        stream_writer = getattr(connection, "_writer", None)
        transport = getattr(stream_writer, "transport", None)
        if transport is None or getattr(stream_reader, "_buffer", None):
            return None
        wire = cls(listener, reader, transport, (connection, stream_reader, stream_writer))
        transport.set_protocol(wire)
        if not transport.is_reading():
            transport.resume_reading()
        # From here on redis-py must not close or read it.
        for name in ("_reader", "_writer"):
            setattr(connection, name, None)
        return wire

    def write(self, packed: bytes) -> None:
        self._transport.write(packed)

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._listener.progressed(self._time())
        reader, replied = self._reader, self._listener.replied
        reader.feed(data)
        try:
            while True:
                reply = reader.gets()
                if reply is False:  # no complete reply is left; RESP2 has no booleans
                    return
                replied(reply)
        except hiredis.ProtocolError as error:
            self._listener.lost(f"not the Redis protocol: {error}")

    def eof_received(self) -> None:
        self._listener.lost("closed by the server")

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.lost(str(exc) if exc else "closed")


class StreamWire:
    """A wire over redis-py's public calls: one task reads, one task writes."""

    def __init__(self, connection: AbstractConnection, listener: Listener) -> None:
        self._connection = connection
        self._listener = listener
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._read(), name="redis-read"),
            asyncio.create_task(self._write(), name="redis-write"),
        ]

    def write(self, packed: bytes) -> None:
        self._outgoing.put_nowait(packed)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        asyncio.get_running_loop().create_task(self._connection.disconnect(nowait=True), name="redis-disconnect")

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    reply = await self._connection.read_response(disconnect_on_error=False)
                except ResponseError as error:
                    reply = ServerError(_server_text(error))
                self._listener.progressed(loop.time())
                self._listener.replied(reply)
        except Exception as error:  # noqa: BLE001 - whatever broke it, the connection is lost
            self._listener.lost(str(error) or type(error).__name__)

    async def _write(self) -> None:
        try:
            while True:
                await self._connection.send_packed_command([await self._outgoing.get()], check_health=False)
        except Exception as error:  # noqa: BLE001 - whatever broke it, the connection is lost
            self._listener.lost(str(error) or type(error).__name__)


def _server_text(error: ResponseError) -> str:
    # redis-py strips the code of the errors it has a class for.
    code = _CODES.get(type(error).__name__)
    text = str(error)
    return text if code is None or text.startswith(code) else f"{code} {text}"
