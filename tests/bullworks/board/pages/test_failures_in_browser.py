"""Failures and search in Chromium, by mouse and by keyboard; search without JavaScript too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bullworks.board import BoardModule
from bullworks.bullmq import Queue
from bullworks.core import create_application, module
from bullworks.web import WebModule, WebServer
from bullworks.workers import BullModule, get_queue_token
from tests.bullworks.board.browser import Visit, opened_browser
from tests.bullworks.board.client import PATH
from tests.bullworks.board.pages.failing import fail

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60), pytest.mark.browser]

HOSTILE = "<img src=x onerror=window.attacked=true>"


@dataclass(frozen=True, slots=True)
class Site:
    """A board over one queue, and a browser to look at it with."""

    browser: Browser
    url: str
    queue: Queue[Any]

    def visit(self, path: str) -> Any:
        return Visit.to(self.browser, self.url, f"{PATH}/-/{path}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(redis_server: Any) -> AsyncIterator[Site]:
    url = redis_server.url.removesuffix("/0") + "/9"

    @module(
        imports=[
            BullModule.for_root(connection=url, prefix="failing", queues=("mail",)),
            WebModule.for_root(port=0),
            BoardModule.for_root(auth=None),
        ]
    )
    class Shop:
        """A board alone."""

    async with opened_browser() as browser, await create_application(Shop) as application:
        queue: Queue[Any] = application.get(get_queue_token("mail"))
        await queue.pause()
        await queue.obliterate(force=True)
        await queue.resume()
        for number in range(3):
            await fail(queue, f"order {number} is gone {HOSTILE}", name=HOSTILE, data={"n": f"{number}{HOSTILE}"})
        served = application.get(WebServer).url
        assert served is not None
        yield Site(browser, served, queue)


async def test_a_group_is_retried_and_then_gone(site: Site) -> None:
    async with site.visit("failures") as visit:
        page = visit.page
        page.on("dialog", lambda dialog: dialog.accept())
        await expect(page.locator("td.error strong")).to_have_text(f"order # is gone {HOSTILE}")
        await visit.picture("failures")
        await page.get_by_role("button", name="Retry the newest").click()
        await expect(page.locator("td.number")).to_have_text("2")
        await page.get_by_role("button", name="Retry all").click()
        await expect(page.get_by_role("status")).to_have_text("Retry all: 2 of 2 retried")
        await expect(page.get_by_text("No job has failed.")).to_be_visible()
        assert (await site.queue.get_job_counts("waiting"))["waiting"] == 3
        assert await page.evaluate("window.attacked") is None
        assert visit.problems == []


async def test_a_slash_searches_from_any_page(site: Site) -> None:
    async with site.visit("failures") as visit:
        page = visit.page
        await page.keyboard.press("/")
        await page.wait_for_url("**/-/search")
        await page.keyboard.press("/")
        await page.keyboard.type("1<img")
        await page.keyboard.press("Enter")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody code")).to_contain_text(HOSTILE)
        await visit.picture("search")
        assert await page.evaluate("window.attacked") is None
        assert visit.problems == []


async def test_searching_needs_no_javascript(site: Site) -> None:
    context = await site.browser.new_context(base_url=site.url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{PATH}/-/search")
    await page.locator("#search").fill("2")
    await page.locator("#search").press("Enter")
    await expect(page.get_by_text("Found by id.")).to_be_visible()
    await page.get_by_role("link", name="in data").click()
    await expect(page.locator("#looked")).to_contain_text("Searched 3 of 3 jobs")
    await context.close()
