"""PipelinedConnection: one connection on which everything said in one loop tick leaves in one write."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

import hiredis
from redis.asyncio.connection import AbstractConnection

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectError, ConnectionLostError
from bullworks.redis.pace import retry_pause_s
from bullworks.redis.script import Script
from bullworks.redis.server_error import ServerError
from bullworks.redis.wire import ProtocolWire, StreamWire
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# Reconnecting starts almost at once, since most breaks are short, and settles at a pace that floods no server.
_FIRST_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 1.0

_CLUSTER_HINT = ". It is a node of a cluster: write redis+cluster:// instead of redis://"

Argument = str | bytes | int | float
"""What a command is made of."""


# hiredis declares a tuple of exactly one.
_pack = cast(Callable[[tuple[Argument, ...]], bytes], hiredis.pack_command)


class Wire(Protocol):
    """The socket of a connection: takes packed commands, hands every reply to its listener."""

    def write(self, packed: bytes) -> None: ...

    def close(self) -> None: ...


class PipelinedConnection:
    """Sends commands in order over one connection and gives each caller its own reply.

    Usable before it is connected: the first command connects. A broken connection fails the commands under way
    with ConnectionLostError, since Redis may or may not have run them, and is reopened in the background;
    commands given meanwhile wait for it, up to `reply_timeout_ms`.

    Cancelling a caller drops its reply, never the connection. An error in a reply belongs to its caller alone.
    Bound to the event loop on which it first connects.

    Attributes:
        generation: counts the connections that were made.

    Args:
        endpoint: where Redis is; one server, see `connection_to` for others.
        client_name: shown by CLIENT LIST.
        reply_timeout_ms: with commands under way and no byte from Redis for so long, the connection counts as dead.
        hijack: read the socket without redis-py's stream layer, about 10 us less a reply. False means its public API.
    """

    _longest_backoff_s = _LONGEST_BACKOFF_S

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        client_name: str | None = None,
        reply_timeout_ms: int = 10_000,
        hijack: bool = True,
    ) -> None:
        if endpoint.group is not None and type(self) is PipelinedConnection:
            raise ValueError(f"{endpoint.describe()} is more than one server: use connection_to(endpoint)")
        self.endpoint = endpoint
        self.client_name = client_name
        self._reply_timeout_s = reply_timeout_ms / 1000
        self._watch_s = self._reply_timeout_s / 4
        self._hijack = hijack
        self._wire: Wire | None = None
        self._pending: deque[asyncio.Future[Any]] = deque()
        self._outgoing: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._last_progress_s = 0.0
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.generation = 0

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "connected" if self.is_connected else "not connected"
        return f"<{type(self).__name__} {self.endpoint.describe()} {state}>"

    @property
    def is_connected(self) -> bool:
        return self._wire is not None

    async def connect(self) -> None:
        """Connect once, if need be.

        Raises:
            ConnectError: Redis cannot be reached or refuses this client; it names the address and the reason.
        """
        if self._is_closed:
            raise self._lost("it was closed")
        if self._wire is None:
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.create_task(self._open(), name="redis-connect")
            await self._connected(self._connecting)

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        """Queue a command for the next write; returns its reply as a future. Needs a connection.

        Commands sent without an await between them leave in one write and run in order.

        Raises:
            ConnectionLostError: there is no connection now; nothing was sent.
        """
        reply = self._queue(command)
        if len(self._outgoing) == 1:
            cast(asyncio.AbstractEventLoop, self._loop).call_soon(self.flush)
        return reply

    def send_now(self, *command: Argument) -> asyncio.Future[Any]:
        """Send a command, and those queued before it, at once, where nothing follows in this tick.

        Raises as `send` does.
        """
        reply = self._queue(command)
        self.flush()
        return reply

    def flush(self) -> None:
        """Write the queued commands."""
        if self._wire is not None and self._outgoing:
            packed = self._outgoing
            self._outgoing = []
            self._wire.write(packed[0] if len(packed) == 1 else b"".join(packed))

    async def execute(self, *command: Argument, key: Argument | None = None) -> Any:  # noqa: ARG002 - keeps to one server
        """Run one command and return its reply, in bytes, ints and lists.

        Args:
            key: for a command that names none as its first argument: whose server is meant, where there are several.

        Raises:
            ServerError: what Redis answered.
            ConnectionLostError: the connection broke, or could not be had; in the first case Redis may have run it.
            ConnectError: the very first connection failed.
        """
        if self._wire is None:
            await self._wait_connected()
        return await self._send_soon(*command)

    async def together(self, *commands: tuple[Argument, ...]) -> list[Any]:
        """Run commands in one write, one after the other; returns their replies.

        Raises as `execute` does, for the first that fails; all have been tried.
        """
        if self._wire is None:
            await self._wait_connected()
        replies = await asyncio.gather(*(self.send(*command) for command in commands), return_exceptions=True)
        return [await self._settle(*pair) for pair in zip(commands, replies, strict=True)]

    async def read(self, *commands: tuple[Argument, ...]) -> list[Any]:
        """Run commands that change nothing, as `together` does; where the connection breaks, once more over the next.

        Raises as `execute` does.
        """
        try:
            return await self.together(*commands)
        except ConnectionLostError:
            return await self.together(*commands)

    async def run(self, script: Script, keys: tuple[Argument, ...], args: list[Argument]) -> Any:
        """Run a script by its SHA1, or with its source where the server does not know it.

        Raises as `execute` does.
        """
        if self._wire is None:
            await self._wait_connected()
        try:
            return await self._send_soon("EVALSHA", script.sha, len(keys), *keys, *args)
        except ServerError as error:
            if error.code != "NOSCRIPT" and not self.follows(error):
                raise
        # Where another server is to run it, that may not know it either.
        return await self.execute("EVAL", script.source, len(keys), *keys, *args)

    async def _settle(self, command: tuple[Argument, ...], reply: Any) -> Any:
        if isinstance(reply, ServerError) and self.follows(reply):
            return await self.execute(*command)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def at(self, key: str) -> "PipelinedConnection":  # noqa: ARG002 - keeps to one server
        """Return the connection for all keys in the slot of `key`; do not close it by itself."""
        return self

    def follows(self, error: ServerError) -> bool:  # noqa: ARG002 - there is no other server
        """Whether an error means that another server, or a retry, will run the command."""
        return False

    async def close(self) -> None:
        """Fail pending commands and close the socket. Closing twice, or before connecting, is fine."""
        self._is_closed = True
        if self._connecting is not None:
            await cancel_and_wait(self._connecting)
            self._connecting = None
        self._drop("it was closed")

    def drop(self, reason: str) -> None:
        """Give up the present connection as if it had broken; it is reopened."""
        self.lost(reason)

    def let_go(self, reason: str) -> None:
        """Give up the present connection; the next command opens another."""
        if self._wire is not None:
            self._drop(reason)

    # What the wire reports.

    def replied(self, reply: Any) -> None:
        waiter = self._pending.popleft()
        if isinstance(reply, ServerError):
            self._refused(reply)
            if not waiter.done():
                waiter.set_exception(reply)
        elif not waiter.done():  # else its caller was cancelled
            waiter.set_result(reply)

    def progressed(self, now_s: float) -> None:
        self._last_progress_s = now_s

    def lost(self, reason: str) -> None:
        if self._wire is None:
            return
        log.warning("connection to Redis at %s lost: %s", self.endpoint.describe(), reason)
        self._drop(reason)
        if not self._is_closed:
            self._connecting = asyncio.create_task(self._reopen(), name="redis-reconnect")

    # Inside.

    def _send_soon(self, *command: Argument) -> asyncio.Future[Any]:
        # Where nothing else is under way, a sender that awaits one after the other need wait for no turn of the loop.
        return self.send(*command) if self._pending else self.send_now(*command)

    def _queue(self, command: tuple[Argument, ...]) -> asyncio.Future[Any]:
        if self._wire is None or self._loop is None:
            raise self._lost("it is being reopened" if not self._is_closed else "it was closed")
        # First what may raise: a reply awaited for a command that never left would shift all those after it.
        packed = _pack(command)
        reply = self._loop.create_future()
        if not self._pending:
            self._last_progress_s = self._loop.time()
        self._pending.append(reply)
        self._outgoing.append(packed)
        return reply

    def _lost(self, reason: str) -> ConnectionLostError:
        return ConnectionLostError(self.endpoint.describe(), reason)

    async def _wait_connected(self) -> None:
        if self._connecting is None or self._connecting.done():
            await self.connect()
            return
        try:
            async with asyncio.timeout(self._reply_timeout_s):
                await self._connected(self._connecting)
        except TimeoutError:
            raise self._lost(f"no connection within {self._reply_timeout_s:g} s") from None

    async def _connected(self, connecting: "asyncio.Task[None]") -> None:
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            if not connecting.cancelled() or self._is_closed or _is_cancelled():
                raise
            # Whoever cancelled it did not cancel its callers: the next command connects.
            raise self._lost("connecting was cancelled") from None

    async def _open(self) -> None:
        try:
            connection = await self._connection()
        except BaseException:
            self._connecting = None  # the next command tries again
            raise
        self._attach(connection)

    async def _connection(self) -> AbstractConnection:
        """A new one."""
        return await self.endpoint.open(client_name=self.client_name)

    async def _reopen(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(retry_pause_s(failures + 1, _FIRST_BACKOFF_S, self._longest_backoff_s))
            try:
                connection = await self._connection()
            except Exception as error:
                failures += 1
                if failures == 1 or failures % 60 == 0:
                    is_known = isinstance(error, ConnectError | OSError)
                    log.warning("reconnecting: %s", error, exc_info=None if is_known else error)
            else:
                self._attach(connection)
                log.info("connection to Redis at %s is back", self.endpoint.describe())
                return

    def _attach(self, connection: AbstractConnection) -> None:
        self._loop = asyncio.get_running_loop()
        self._connecting = None
        self.generation += 1
        self._last_progress_s = self._loop.time()
        reader = hiredis.Reader(replyError=ServerError)
        wire = ProtocolWire.take_over(connection, self, reader) if self._hijack else None
        self._wire = wire or StreamWire(connection, self)
        self._watch()

    def _drop(self, reason: str) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
        pending, self._pending = self._pending, deque()
        self._outgoing = []
        for reply in pending:
            if not reply.done():
                reply.set_exception(self._lost(reason))
                # A caller may have been cancelled between; its exception must not be reported as unseen.
                reply.exception()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        silent_s = loop.time() - self._last_progress_s
        if self._pending and silent_s > self._reply_timeout_s:
            self.lost(f"no reply for {silent_s:.1f} s")
            return
        self._watchdog = loop.call_later(self._watch_s, self._watch)

    def _refused(self, error: ServerError) -> None:
        """Hears of every error before its caller."""
        if error.code == "MOVED":
            error.hint = _CLUSTER_HINT


def _is_cancelled() -> bool:
    """Whether the present task itself is to end: where the event loop ends, connecting and its callers both are."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
