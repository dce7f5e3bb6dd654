"""The real Bull Board, in a Node process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.bullworks.board.client import PATH
from tests.bullworks.compat.node import FOLDER, LONGEST_S, Node, NodeMissingError


class NodeBoard:
    """Asks it. Paths are relative to where it is mounted."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @staticmethod
    def check() -> None:
        """Raises NodeMissingError where npm's Bull Board is not installed."""
        if not (FOLDER / "node_modules" / "@bull-board" / "express").is_dir():
            raise NodeMissingError(f"npm's Bull Board is not installed: run `npm ci` in {FOLDER}")

    @classmethod
    @asynccontextmanager
    async def served(
        cls, node: Node, url: str, queues: Sequence[str], *, prefix: str = "bull", read_only: bool = False
    ) -> AsyncIterator[NodeBoard]:
        question = {"url": url, "prefix": prefix, "queues": list(queues), "readOnly": read_only}
        async with node.serve("board.mjs", question) as lines:
            async with asyncio.timeout(LONGEST_S):
                port = int(await lines.readline())
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST_S) as http:
                yield cls(http)

    @property
    def url(self) -> str:
        return f"{self._http.base_url}"

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(f"{PATH}/{path}")

    async def change(self, method: str, path: str, body: Any = None) -> httpx.Response:
        json: dict[str, Any] = {} if body is None else {"json": body}
        return await self._http.request(method, f"{PATH}/{path}", **json)

    async def routes(self) -> dict[str, Any]:
        """All that it answers: {api: [[method, path]], pages: [path]}."""
        found: dict[str, Any] = (await self._http.get("/routes")).json()
        return found

    async def issues(self, schema: str, answer: Any) -> list[str]:
        """Where an answer is not what Bull Board declares for it; empty: nowhere."""
        found: list[str] = (await self._http.post(f"/check/{schema}", json=answer)).json()
        return found
