"""A browser's view of a board, without a network: it keeps cookies, and sends what a browser would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

PATH = "/admin/queues"
ORIGIN = "http://localhost:3000"


class BoardClient:
    """Asks a board that is mounted at PATH. Paths begin with none, or with `/` for the server's root."""

    def __init__(self, app: ASGIApp, *, origin: str = ORIGIN, peer: str = "127.0.0.1", path: str = PATH) -> None:
        root = Starlette(routes=[Mount(path, app)])
        transport = httpx.ASGITransport(root, client=(peer, 50_000))
        self.http = httpx.AsyncClient(transport=transport, base_url=origin)
        self._path = path

    async def get(self, path: str = "", **options: Any) -> httpx.Response:
        return await self.http.get(self.address(path), **options)

    async def change(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """As the page does it: with the token, from its own address."""
        token = await self.token()
        sent = {"X-XSRF-TOKEN": token, "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN, **(headers or {})}
        json: dict[str, Any] = {} if body is None else {"json": body}
        return await self.http.request(method, self.address(path), headers=sent, **json)

    async def token(self) -> str:
        """The one that this browser has, or gets by loading the page."""
        if "XSRF-TOKEN" not in self.http.cookies:
            await self.get("")
        return self.http.cookies["XSRF-TOKEN"]

    def address(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._path}/{path}"
