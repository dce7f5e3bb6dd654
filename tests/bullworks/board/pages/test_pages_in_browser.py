"""Our own pages in Chromium: buttons, keys, and figures that stay up to date."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bullworks.board import BoardModule
from bullworks.board.pages import live
from bullworks.bullmq import Job, JobSpec, Queue
from bullworks.core import Application, create_application, injectable, module
from bullworks.schedule import cron
from bullworks.web import WebModule
from bullworks.workers import BullModule, WorkerHost, processor
from bullworks.workers.history import Tally
from bullworks.workers.history.keys import HistoryKeys
from bullworks.workers.history.scripts import record
from bullworks.workers.presence import PresenceModule
from tests.bullworks.board.browser import Service, opened_browser
from tests.bullworks.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60), pytest.mark.browser]

HOSTILE = "<img src=x onerror=window.attacked=1>"


NEXT_CHANGE = """() => new Promise((done) => {
  const query = document.querySelector('meta[name="board-live"]').content;
  const stream = new EventSource(`live?${query}`);
  stream.addEventListener("change", () => { stream.close(); done(); });
})"""
"""Settled once the server has told a page that it shows old figures."""


@processor("post")
class PostWorker(WorkerHost):
    """Fails what says so, at its first attempt."""

    async def process(self, job: Job[Any, Any]) -> str:
        await job.log(f"log {HOSTILE}")
        if job.data.get("fails") and job.attempts_started == 1:
            raise ValueError(f"no such address {HOSTILE}")
        return "sent"


@injectable()
class Clerk:
    """Has a cron that runs by hand only."""

    runs = 0

    @cron("0 0 3 29 2 *", name="leap-day")
    async def count(self) -> None:
        Clerk.runs += 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(redis_server: Any) -> AsyncIterator[Service]:
    url = redis_server.url.removesuffix("/0") + "/9"

    @module(
        imports=[
            BullModule.for_root(
                connection=url, prefix="paged", queues=("post", "stock"), providers=[PostWorker, Clerk]
            ),
            PresenceModule.for_root(),
            WebModule.for_root(port=0),
            BoardModule.for_root(auth=None, title="Post office"),
        ]
    )
    class Shop:
        """A worker and a board."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "POLL_S", 0.2)
        async with opened_browser() as browser, await create_application(Shop) as application:
            yield await _served(browser, application)


async def _served(browser: Browser, application: Application) -> Service:
    service = Service(application, browser)
    for name in ("post", "stock"):
        await service.emptied(name)
    await _record(service.queue("post"))
    return service


async def _record(queue: Queue[Any]) -> None:
    """An hour of work, for the charts."""
    minute_ms = int(time.time() * 1000) // 60_000 * 60_000
    for ago in range(60):
        tally = Tally()
        tally.completed, tally.failed = 40 + 25 * (ago % 7) // 6 + ago // 3, 3 if ago % 11 == 0 else 0
        for number in range(20):
            tally.run.add(15 + number * (3 + ago % 5))
            tally.wait.add(2 + number * (1 + ago % 9 // 3))
        await record(queue.connection, HistoryKeys("paged"), "post", minute_ms - ago * 60_000, tally)


def _row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


async def test_the_overview_follows_what_happens(service: Service) -> None:
    stock = service.queue("stock")
    await stock.add_bulk([JobSpec("count", {"shelf": number}) for number in range(3)])
    async with service.visit("-/") as visit:
        page = visit.page
        await expect(_row(page, "stock").get_by_role("cell").nth(1)).to_have_text("3")
        await expect(page.locator("#live")).to_be_visible()
        await stock.set_global_concurrency(2)
        await stock.add("count", {"shelf": 4})
        await expect(_row(page, "stock").get_by_role("cell").nth(1)).to_have_text("4")
        await expect(_row(page, "stock")).to_contain_text("at most 2 at once")
        await visit.picture("own-overview")
        assert visit.problems == []


async def test_what_somebody_looks_at_is_not_taken_away(service: Service) -> None:
    stock = service.queue("stock")
    async with service.visit("-/") as visit:
        page = visit.page
        await page.clock.install()
        await page.reload()
        cell = _row(page, "stock").get_by_role("cell").nth(1)
        before = int(await cell.inner_text())
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        told = asyncio.ensure_future(page.evaluate(NEXT_CHANGE))
        await stock.add("count", {})
        await told
        await page.clock.run_for(10_000)
        assert int(await cell.inner_text()) == before
        await page.keyboard.press("Escape")
        await page.clock.run_for(2_000)
        await expect(cell).to_have_text(str(before + 1))
        assert visit.problems == []


async def test_a_queue_is_paused_and_resumed_and_the_focus_stays(service: Service) -> None:
    stock = service.queue("stock")
    async with service.visit("-/queue?name=stock") as visit:
        page = visit.page
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("status")).to_have_text("Pause: done")
        assert await stock.is_paused()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
        await page.get_by_role("button", name="Resume").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("Resume: done")
        assert not await stock.is_paused()
        await visit.picture("own-queue")
        assert visit.problems == []


async def test_a_failed_job_is_looked_at_and_retried(service: Service) -> None:
    post = service.queue("post")
    job = await post.add(f"letter {HOSTILE}", {"fails": True, "password": "s3cret"})
    await eventually(lambda: _is(post, job.id, "failed"))
    async with service.visit("-/") as visit:
        page = visit.page
        await _row(page, "post").get_by_role("link", name="post").click()
        await page.get_by_role("rowheader", name=job.id).get_by_role("link").click()
        await page.wait_for_url(re.compile(r"/-/job\?queue=post"))  # and for its script
        await expect(page.get_by_text("no such address").first).to_be_visible()
        await expect(page.get_by_text("[redacted]").first).to_be_visible()
        await visit.picture("own-job")
        await page.get_by_role("button", name="Retry").click()
        await expect(page.locator("h1 .badge")).to_have_text("completed")
        await expect(page.get_by_text("sent").first).to_be_visible()
        assert await page.evaluate("window.attacked") is None
        page.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
        assert await post.get_job(job.id) is None
        assert [problem for problem in visit.problems if "404" not in problem] == []


async def test_a_cron_and_a_job_scheduler_are_run_by_hand(service: Service) -> None:
    post = service.queue("post")
    await post.upsert_job_scheduler("yearly", {"pattern": "0 3 29 2 *"}, {"name": "yearly-letter", "data": {}})
    before = Clerk.runs
    async with service.visit("-/schedules") as visit:
        page = visit.page
        page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await _row(page, "leap-day").get_by_role("button", name="Run now").click()
        await expect(page.get_by_role("status")).to_have_text(re.compile(r"Run now: ran in \d+ ms"))
        assert Clerk.runs == before + 1
        await _row(page, "yearly").get_by_role("button", name="Run now").click()
        await expect(page.get_by_role("status")).to_have_text(re.compile("Run now: "))
        await eventually(lambda: _has_completed(post, "yearly-letter"))
        await visit.picture("own-schedules")
        assert visit.problems == []
    await post.remove_job_scheduler("yearly")


async def test_who_works_on_what_and_who_changed_what_is_shown(service: Service) -> None:
    stock = service.queue("stock")
    await stock.pause()
    await stock.resume()
    async with service.visit("-/workers") as visit:
        page = visit.page
        await expect(page.get_by_role("main")).to_contain_text(f"pid {os.getpid()}")
        await visit.picture("own-workers")
        await page.get_by_role("link", name="Locks").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Locks")
        await page.goto(page.url.replace("locks", "queue?name=stock"))
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("status")).to_have_text("Pause: done")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.get_by_role("status")).to_have_text("Resume: done")
        await page.get_by_role("link", name="Audit").click()
        await expect(page.get_by_role("row").nth(1)).to_contain_text("resume")
        await expect(page.get_by_role("row").nth(2)).to_contain_text("pause")
        await visit.picture("own-audit")
        assert visit.problems == []


async def test_a_refusal_is_said_and_a_question_may_be_declined(service: Service) -> None:
    stock = service.queue("stock")
    later = await stock.add("later", {}, delay=3_600_000)
    async with service.visit(f"-/job?queue=stock&id={later.id}") as visit:
        page = visit.page
        page.once("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
        await page.get_by_role("button", name="Remove").click()
        assert await stock.get_job(later.id) is not None
        await page.route("**/promote", lambda route: asyncio.ensure_future(_after(later.promote(), route)))
        await page.get_by_role("button", name="Promote").click()
        await expect(page.get_by_role("status")).to_have_text(re.compile("job not delayed"))


async def test_all_pages_are_reached_by_keys(service: Service) -> None:
    async with service.visit("-/queue?name=stock&state=waiting") as visit:
        page = visit.page
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("k")
        focused = await page.evaluate("document.activeElement.closest('tr').rowIndex")
        assert focused == 1
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/-/job\?queue=stock"))  # and for its script
        await page.keyboard.press("g")
        await page.keyboard.press("o")
        await page.wait_for_url(re.compile(r"/-/$"))  # and for its script
        await page.keyboard.press("/")
        await page.wait_for_url(re.compile(r"/-/search"))  # and for its script
        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.type") == "search"
        await page.keyboard.type("j/k?")  # typed, not obeyed
        assert await page.evaluate("document.activeElement.value") == "j/k?"
        assert visit.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_both_schemes_are_drawn(service: Service, scheme: Any) -> None:
    async with service.visit("-/") as visit:
        page = visit.page
        await page.emulate_media(color_scheme=scheme)
        colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", colour)[:3]))
        assert (brightness > 600) is (scheme == "light")
        await visit.picture(f"own-overview-{scheme}")


async def _is(queue: Queue[Any], job_id: str, state: str) -> bool:
    return await queue.get_job_state(job_id) == state


async def _has_completed(queue: Queue[Any], name: str) -> bool:
    return any(job.name == name for job in await queue.get_jobs(["completed"]))


async def _after(change: Any, route: Any) -> None:
    """Let something happen between a click and its request."""
    await change
    await route.continue_()
