"""Debian's Chromium, driven by Playwright; pictures go to build/screenshots, which git ignores."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from bullworks.bullmq import Queue
from bullworks.core import Application
from bullworks.web import WebServer
from bullworks.workers import get_queue_token
from tests.bullworks.board.client import PATH

PICTURES = Path(__file__).resolve().parents[3] / "build" / "screenshots"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
LONGEST_MS = 10_000


def chromium() -> str:
    """Its path; skips where there is none, fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing = "no chromium on PATH: tests in a browser cannot run"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@asynccontextmanager
async def opened_browser() -> AsyncIterator[Browser]:
    """A browser without a window."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


class Visit:
    """A page, and what went wrong on it.

    Attributes:
        problems: errors of its console and scripts, and requests to elsewhere.
    """

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.problems: list[str] = []
        self._origin = origin
        page.set_default_timeout(LONGEST_MS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("request", lambda request: self._asked(request.url))

    @classmethod
    @asynccontextmanager
    async def to(cls, browser: Browser, url: str, path: str) -> AsyncIterator[Visit]:
        """A page of a new visitor, without cookies."""
        context: BrowserContext = await browser.new_context(
            base_url=url, viewport={"width": 1440, "height": 900}, locale="en-US"
        )
        try:
            visit = cls(await context.new_page(), url)
            await visit.page.goto(path)
            yield visit
        finally:
            await context.close()

    async def picture(self, name: str) -> None:
        """Keep what it looks like."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self._origin, "data:", "blob:")):
            self.problems.append(f"asked {url}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service with a board, and a browser to look at it with."""

    application: Application
    browser: Browser

    def queue(self, name: str) -> Queue[Any]:
        return self.application.get(get_queue_token(name))

    async def emptied(self, name: str) -> Queue[Any]:
        """A queue without jobs, that runs."""
        queue = self.queue(name)
        await queue.pause()
        await queue.obliterate(force=True)
        await queue.resume()
        return queue

    def visit(self, path: str = "") -> AbstractAsyncContextManager[Visit]:
        """A page below the board."""
        url = self.application.get(WebServer).url
        assert url is not None
        return Visit.to(self.browser, url, f"{PATH}/{path}")
