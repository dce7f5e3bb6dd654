"""Every example of docs/web.md runs, and does what the page says."""

from __future__ import annotations

import asyncio
import re
from types import ModuleType
from typing import Any

import httpx
import pytest

from bullworks.core import create_application
from bullworks.settings import SettingsSource
from bullworks.web import WebServer
from bullworks.workers import get_queue_token
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage

PAGE = "docs/web.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("JOB_TOKEN_SECRET", "s" * 32)
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


async def get(page: ModuleType, *paths: str, **options: Any) -> list[str]:
    """What the page's application answers."""
    async with (
        create_application(page.AppModule, settings=SettingsSource()) as app,
        httpx.AsyncClient(base_url=str(app.get(WebServer).url)) as http,
    ):
        return [(await http.get(path, **options)).text for path in paths]


@checks("fastapi")
async def the_app_is_producer_and_worker(stage: Stage) -> None:
    lines = [line for line in stage.example.code.splitlines() if line]
    assert len(lines) < 20
    page = await stage.run()
    transport = httpx.ASGITransport(page.app)
    async with (
        page.app.router.lifespan_context(page.app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        added = await http.post("/users/ada")
        assert added.status_code == 202
        async with stage.queue("mails") as queue:
            job = await queue.get_job(added.json())
            assert job is not None
            assert (await stage.finished(job)).returnvalue == "sent to ada"


@checks("routes")
async def routes_and_a_mounted_app_are_served(stage: Stage) -> None:
    page = await stage.run()
    assert await get(page, "/api/greeting", "/report", auth=("ada", "secret")) == ['"hello ada"', "the report for ada"]
    assert await get(page, "/report") == ["authentication required\n"]


@checks("job-api")
async def a_job_is_added_and_followed_over_http(stage: Stage) -> None:
    page = await stage.run()
    async with (
        create_application(page.AppModule) as app,
        httpx.AsyncClient(base_url=str(app.get(WebServer).url)) as http,
    ):
        wanted = {"queue": "reports", "name": "monthly", "data": {"month": 7}}
        assert (await http.post("/jobs", json=wanted)).status_code == 401
        shop = {"Authorization": "Bearer key-of-the-shop"}
        added = (await http.post("/jobs", json=wanted, headers=shop)).json()
        async with asyncio.timeout(20), http.stream("GET", added["events"]) as events:
            seen = "".join([text async for text in events.aiter_text()])
        assert re.findall(r"^data: (.*)", seen, re.MULTILINE)[-1] == (
            '{"state":"completed","result":"/files/report-7.pdf"}'
        )
        shown = (await http.get(added["url"], headers=shop)).json()
        assert (shown["state"], shown["progress"], shown["result"]) == ("completed", 50, "/files/report-7.pdf")
        assert app.get(get_queue_token("reports")).keys.prefix == stage.prefix
