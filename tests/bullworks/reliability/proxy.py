"""FaultProxy: a TCP proxy before Redis that understands commands, and breaks what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Self

import hiredis

from tests.bullworks.servers import HOST

Command = list[bytes]
Predicate = Callable[[Command], bool]

_CHUNK_BYTES = 65_536


def runs(*shas: bytes) -> Predicate:
    """Matches EVALSHA of one of these scripts."""
    return lambda command: command[0].upper() == b"EVALSHA" and command[1] in shas


class FaultProxy:
    """Listens on 127.0.0.1 and forwards to one Redis port.

    Attributes:
        delay_s: added to every chunk in each direction.
        lost: commands whose reply was thrown away.
        connections: how many were ever accepted.
    """

    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._to_lose: list[Predicate] = []
        self._flow = asyncio.Event()
        self._flow.set()
        self.delay_s = 0.0
        self.lost: list[Command] = []
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.heal()
        self.cut()
        if self._links:
            await asyncio.wait([link.task for link in self._links], timeout=5)

    @property
    def url(self) -> str:
        """The proxied server's URL."""
        assert self._server is not None
        return f"redis://{HOST}:{self._server.sockets[0].getsockname()[1]}/0"

    def lose_reply(self, predicate: Predicate, times: int = 1) -> None:
        """Forward the next commands that match, then cut their connection in place of handing on the reply."""
        self._to_lose += [predicate] * times

    def cut(self) -> None:
        """Close every connection, now."""
        for link in list(self._links):
            link.cut()

    def black_hole(self) -> None:
        """Hand on nothing any more; connections stay open and new ones are accepted."""
        self._flow.clear()

    def heal(self) -> None:
        """End the black hole; what was sent into it arrives now."""
        self._flow.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        link = _Link(self, reader, writer)
        self._links.add(link)
        link.task.add_done_callback(lambda _: self._links.discard(link))

    async def _pass(self) -> None:
        """Return when a chunk may be handed on."""
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        await self._flow.wait()

    def _loses(self, command: Command) -> bool:
        for predicate in self._to_lose:
            if predicate(command):
                self._to_lose.remove(predicate)
                return True
        return False


class _Link:
    """One client's connection and the one to Redis behind it."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = reader, writer
        self._expected: deque[Command | None] = deque()  # per reply to come: the command, if it is to be lost
        self._has_lost = False
        self._writers = [writer]
        self.task = asyncio.ensure_future(self._run())

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _run(self) -> None:
        reader, writer = self._client
        with contextlib.suppress(OSError):
            from_redis, to_redis = await asyncio.open_connection(HOST, self._proxy._redis_port)
            self._writers.append(to_redis)
            pumps = [
                asyncio.ensure_future(self._forward(reader, to_redis)),
                asyncio.ensure_future(self._back(from_redis, writer)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            self.cut()
            await asyncio.gather(*pumps, return_exceptions=True)
        self.cut()

    async def _forward(self, reader: asyncio.StreamReader, to_redis: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while chunk := await reader.read(_CHUNK_BYTES):
            await self._proxy._pass()
            commands.feed(chunk)
            while (command := commands.gets()) is not False:
                # One lost reply cuts the connection: what else is under way on it gets no reply anyway.
                is_lost = not self._has_lost and self._proxy._loses(command)
                self._has_lost = self._has_lost or is_lost
                self._expected.append(command if is_lost else None)
            to_redis.write(chunk)
            await to_redis.drain()

    async def _back(self, from_redis: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replies = hiredis.Reader(replyError=lambda text: text)
        while chunk := await from_redis.read(_CHUNK_BYTES):
            await self._proxy._pass()
            replies.feed(chunk)
            while replies.gets() is not False:
                command = self._expected.popleft()
                if command is not None:
                    self._proxy.lost.append(command)
                    return
            writer.write(chunk)
            await writer.drain()
