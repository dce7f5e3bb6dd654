"""Checks of what docs/workers.md says of monitoring."""

from __future__ import annotations

import httpx

from bullworks.board import board_app
from bullworks.bullmq import Queue
from bullworks.core import create_application
from bullworks.web import WebServer
from bullworks.workers import BullModule
from bullworks.workers.history import HistoryModule
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


@checks("the-board")
async def the_board_is_served(stage: Stage) -> None:
    page = await stage.run()
    async with (
        await create_application(page.AppModule) as application,
        httpx.AsyncClient(base_url=application.get(WebServer).url or "") as client,
    ):
        answer = await client.get("/admin/queues/api/queues")
    assert [queue["name"] for queue in answer.json()["queues"]] == ["email"]


@checks("who-may-do-what")
async def only_operators_change_things(stage: Stage) -> None:
    page = await stage.run()
    async with Queue("email", connection=stage.redis_url, prefix=stage.prefix) as queue:
        board = board_app(queues=[queue], auth=page.who, policy=page.may)
        transport = httpx.ASGITransport(app=board)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/api/queues")).status_code == 401
            assert (await client.get("/api/queues", headers={"x-user": "bob"})).status_code == 200


@checks("history")
async def the_slowest_hours_are_read(stage: Stage) -> None:
    page = await stage.run()
    root = BullModule.for_root(imports=[HistoryModule.for_root(flush_s=0.05)], providers=[page.Report])
    async with await create_application(root) as application:
        assert await application.get(page.Report).slowest_hours() == []
