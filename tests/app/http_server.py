"""A real HTTP server on 127.0.0.1 that answers what a test tells it to."""

from __future__ import annotations

import asyncio
from typing import Self


class HttpServer:
    """Answers every GET alike.

    Attributes:
        body, status: of the answers.
        delay_s: before each.
        asked: the paths that were asked for, in order.
        most_at_once: how many asked at a time.
    """

    def __init__(self) -> None:
        self.body = b"{}"
        self.status = 200
        self.delay_s = 0.0
        self.asked: list[str] = []
        self.most_at_once = 0
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    @property
    def url(self) -> str:
        """With something in it that nobody may show."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/data?key=hunter2"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._answering.add(task)
        self.most_at_once = max(self.most_at_once, len(self._answering))
        task.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.split(b" ", 2)[1].decode())
            await asyncio.sleep(self.delay_s)
            length = f"Content-Length: {len(self.body)}"
            writer.write(f"HTTP/1.1 {self.status} x\r\nConnection: close\r\n{length}\r\n\r\n".encode())
            writer.write(self.body)
            await writer.drain()
        except OSError:
            pass  # who asked did not wait for the answer
        finally:
            writer.close()
