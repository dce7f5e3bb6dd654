"""Clients that begin requests and never end them keep nobody else from being answered."""

from __future__ import annotations

import asyncio

import pytest

from bullworks.web import WebServer, connections
from tests.bullworks.web.conftest import Serving, contributing, get, says

HALF = b"GET /status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def test_half_open_requests_silence_nobody(serving: Serving) -> None:
    async with serving(contributing("status", says("ok"))) as app:
        port = app.get(WebServer).port
        opened = []
        for _ in range(400):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HALF)
            opened.append((reader, writer))
        assert (await get(app, "/status")).text == "ok"
        # the first had to make room, the last has its place
        assert await opened[0][0].read() == b""
        opened[-1][1].write(b"x\r\n\r\n")
        assert (await opened[-1][0].readline()).startswith(b"HTTP/1.1 200")
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize("before", [b"", b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"])
async def test_headers_that_do_not_come_end_the_connection(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.1)
    async with serving(contributing("status", says("ok"))) as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.get(WebServer).port)
        writer.write(before + HALF)
        said = await asyncio.wait_for(reader.read(), 5)
        assert said.endswith(b"ok") == bool(before)
        writer.close()
