"""Bull Board's own page over our API, in Chromium: what a person does there happens in Redis."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bullworks.board import BoardModule
from bullworks.board.ui import BoardUi
from bullworks.bullmq import FlowProducer, Job, Queue
from bullworks.core import create_application, module
from bullworks.web import WebModule
from bullworks.workers import BullModule, WorkerHost, processor
from tests.bullworks.board.browser import Service, opened_browser
from tests.bullworks.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60), pytest.mark.browser]

HOSTILE = "<img src=x onerror=window.attacked=1>"


@processor("mail")
class MailWorker(WorkerHost):
    """Fails what says so, at its first attempt."""

    async def process(self, job: Job[Any, Any]) -> str:
        await job.log(f"log {HOSTILE}")
        if isinstance(job.data, dict) and job.data.get("fails") and job.attempts_started == 1:
            raise ValueError(f"no such address {HOSTILE}")
        return "sent"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(redis_server: Any, page: BoardUi) -> AsyncIterator[Service]:
    url = redis_server.url.removesuffix("/0") + "/9"

    @module(
        imports=[
            BullModule.for_root(connection=url, prefix="browsed", queues=("mail", "reports"), providers=[MailWorker]),
            WebModule.for_root(port=0),
            BoardModule.for_root(auth=None, title="Post office"),
        ]
    )
    class Shop:
        """A worker and a board."""

    async with opened_browser() as browser, await create_application(Shop) as application:
        service = Service(application, browser)
        mail = await service.emptied("mail")
        await service.emptied("reports")
        data = {"to": "a@example.com", "password": "s3cret", "fails": True, HOSTILE: HOSTILE}
        await mail.add(f"welcome {HOSTILE}", data)
        await mail.upsert_job_scheduler("nightly", {"pattern": "0 3 29 2 *"}, {"name": "nightly-mail", "data": {}})
        async with FlowProducer(connection=url, prefix="browsed") as flows:
            await flows.add(
                {
                    "name": "yearly",
                    "queue_name": "reports",
                    "opts": {"job_id": "yearly"},
                    "children": [
                        {"name": f"month {number}", "queue_name": "reports", "opts": {"job_id": f"month-{number}"}}
                        for number in range(3)
                    ],
                }
            )
        await eventually(lambda: _counts(mail, "failed", 1))
        yield service


async def _counts(queue: Queue[Any], state: Any, count: int) -> bool:
    return (await queue.get_job_counts(state))[state] == count


async def _confirm(page: Page) -> None:
    await page.get_by_role("button", name="Confirm").click()


async def _menu(page: Page, item: str) -> None:
    await page.locator("[class*=statusBar] button[aria-haspopup=menu]").click()
    await page.get_by_role("menuitem", name=item).click()


async def test_the_overview_shows_each_queue_with_its_counts(service: Service) -> None:
    async with service.visit() as visit:
        await expect(visit.page).to_have_title("Post office")
        for name, jobs in (("mail", "2 Jobs"), ("reports", "4 Jobs")):
            card = visit.page.locator("section, article, div, li").filter(has_text=name).filter(has_text=jobs).last
            await expect(card).to_be_visible()
        await visit.picture("bull-board-overview")
        assert visit.problems == []


async def test_a_failed_job_is_looked_at_and_retried(service: Service) -> None:
    mail = service.queue("mail")
    async with service.visit("queue/mail?status=failed") as visit:
        page = visit.page
        await expect(page.get_by_text(f"no such address {HOSTILE}").first).to_be_visible()
        await expect(page.get_by_text(f"welcome {HOSTILE}").first).to_be_visible()
        await page.get_by_role("tab", name="Data").click()
        await expect(page.get_by_text("[redacted]").first).to_be_visible()
        assert "s3cret" not in await page.content()
        await page.get_by_role("tab", name="Logs").click()
        await expect(page.get_by_text(f"log {HOSTILE}").first).to_be_visible()
        await visit.picture("bull-board-failed-job")
        await page.locator("[class*=jobActions] button:has(svg.lucide-refresh-cw)").click()
        await _confirm(page)
        await eventually(lambda: _counts(mail, "completed", 1))
        await expect(page.get_by_text(f"welcome {HOSTILE}")).to_have_count(0)
        assert await page.evaluate("window.attacked") is None
        assert visit.problems == []


async def test_a_job_is_added(service: Service) -> None:
    mail = service.queue("mail")
    before = (await mail.get_job_counts("completed"))["completed"]
    async with service.visit("queue/mail?status=completed") as visit:
        page = visit.page
        await _menu(page, "Add job")
        dialog = page.get_by_role("dialog")
        await dialog.locator("input").nth(1).fill("from the board")
        await visit.picture("bull-board-add-job")
        await dialog.get_by_role("button", name=re.compile("add", re.IGNORECASE)).last.click()
        await eventually(lambda: _counts(mail, "completed", before + 1))
        newest = (await mail.get_completed(0, 0))[0]
        assert newest.name == "from the board"
        await expect(page.get_by_text("from the board").first).to_be_visible()
        assert visit.problems == []


async def test_a_queue_is_paused_and_resumed(service: Service) -> None:
    reports = service.queue("reports")
    async with service.visit("queue/reports") as visit:
        page = visit.page
        await _menu(page, "Pause")
        await _confirm(page)
        await eventually(reports.is_paused)
        await expect(page.get_by_text("[ Paused ]").first).to_be_visible()
        await _menu(page, "Resume")
        await _confirm(page)
        await expect(page.get_by_text("[ Paused ]")).to_have_count(0)
        assert not await reports.is_paused()
        assert visit.problems == []


async def test_a_flow_is_drawn(service: Service) -> None:
    async with service.visit("queue/reports/month-1") as visit:
        nodes = visit.page.locator(".react-flow__node")
        await expect(nodes).to_have_count(4)
        for name in ("yearly", "month 0", "month 1", "month 2"):
            await expect(nodes.filter(has_text=name)).to_have_count(1)
        await visit.picture("bull-board-flow")
        assert visit.problems == []


async def test_a_scheduler_runs_now(service: Service) -> None:
    mail = service.queue("mail")
    async with service.visit("job-schedulers") as visit:
        page = visit.page
        await expect(page.get_by_text("0 3 29 2 *")).to_be_visible()
        await visit.picture("bull-board-schedulers")
        await page.get_by_role("button", name="Run now").click()
        await _confirm(page)

        async def has_run() -> bool:
            return any(job.name == "nightly-mail" for job in await mail.get_completed(0, 10))

        await eventually(has_run)
        assert (await mail.get_job_counts("delayed"))["delayed"] == 1
        assert visit.problems == []


async def test_data_is_edited_and_hidden_secrets_stay(service: Service) -> None:
    reports = service.queue("reports")
    job = await reports.add("later", {"to": "old@example.com", "password": "s3cret"}, delay=10**10)
    async with service.visit(f"queue/reports/{job.id}") as visit:
        page = visit.page
        await page.locator("[class*=jobActions] button:has(svg.lucide-pencil)").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_text("old@example.com").first.dblclick()
        await page.keyboard.press("ControlOrMeta+A")
        await page.keyboard.insert_text('{"to": "new@example.com", "password": "[redacted]"}')
        await visit.picture("bull-board-edit-data")
        await dialog.get_by_role("button", name=re.compile("save|update", re.IGNORECASE)).last.click()

        async def is_changed() -> bool:
            await job.refresh()
            return bool(job.data["to"] == "new@example.com")

        await eventually(is_changed)
        assert job.data == {"to": "new@example.com", "password": "s3cret"}
        assert visit.problems == []


async def test_the_history_is_drawn(service: Service) -> None:
    async with service.visit("metrics-history") as visit:
        await expect(visit.page.get_by_text("Throughput").first).to_be_visible()
        await visit.page.get_by_text("Latency").first.click()
        await visit.picture("bull-board-history")
        assert visit.problems == []


async def test_our_own_pages_are_a_link_away(service: Service) -> None:
    async with service.visit() as visit:
        page = visit.page
        await page.locator("header button[aria-haspopup=menu]").last.click()
        await page.get_by_role("menuitem", name="Overview").click()
        await expect(page).to_have_url(re.compile(r"/admin/queues/-/"))
        await expect(page.get_by_text("mail").first).to_be_visible()
        assert visit.problems == []
