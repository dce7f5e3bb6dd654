"""Every example of docs/outbox.md runs, and does what the page says; Node's statements are run as they stand there."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bullworks.bullmq import Queue
from bullworks.core import create_application
from bullworks.outbox import Outbox, metadata
from bullworks.workers import get_queue_token
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/outbox.md"
EXAMPLES = {str(example.name): example for example in examples_of(PAGE)}


class Base(DeclarativeBase): ...


class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)


class Payment(Base):
    __tablename__ = "payments"
    number: Mapped[int] = mapped_column(primary_key=True)
    order: Mapped[int]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


def test_every_example_is_run_here() -> None:
    assert sorted(EXAMPLES) == ["migration", "module", "once"]


async def test_a_service_writes_a_job_with_its_order(
    engine: AsyncEngine, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    page = await Stage(EXAMPLES["module"], redis_url, key_prefix).run(engine=engine, Order=Order)
    async with await create_application(page.AppModule) as application:
        queue = application.get(get_queue_token("receipts"))
        service = application.select(page.AppModule).get(page.OrderService)
        await service.place(7)

        async def first() -> Any:
            return next(iter(await queue.get_waiting()), None)

        job = await eventually(first)
        assert (job.name, job.data, job.opts.attempts) == ("send", {"order": 7}, 5)


async def test_a_handler_that_runs_twice_pays_once(engine: AsyncEngine, redis_url: str, key_prefix: str) -> None:
    stage = Stage(EXAMPLES["once"], redis_url, key_prefix)
    page = await stage.run(engine=engine, Payment=Payment)
    async with stage.queue("receipts") as queue:
        job = await queue.add("send", {"order": 7})
    await page.process(job)
    await page.process(job)
    async with AsyncSession(engine) as session:
        assert await session.scalar(select(func.count()).select_from(Payment)) == 1


async def test_the_migration_makes_and_drops_the_tables(redis_url: str) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        op = SimpleNamespace(get_bind=lambda: connection)
        page = await Stage(EXAMPLES["migration"], redis_url, "").run(op=op)
        page.upgrade()
        assert sorted(inspect(connection).get_table_names()) == ["bullworks_effects", "bullworks_outbox"]
        page.downgrade()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()


async def test_nodes_statement_writes_a_row_that_the_relay_moves(
    engine: AsyncEngine, redis_url: str, key_prefix: str
) -> None:
    statement = re.findall(r'"(INSERT INTO bullworks_outbox .*)"', (ROOT / PAGE).read_text())[0]
    names = iter(("id", "queue", "name", "data", "opts"))
    bound = re.sub(r"\$\d", lambda _: f":{next(names)}", statement)
    values = {"id": "6f", "queue": "receipts", "name": "send", "data": json.dumps({"order": 7})}
    options = json.dumps({"attempts": 5, "removeOnComplete": True})
    async with Queue("receipts", connection=redis_url, prefix=key_prefix) as queue:
        async with engine.begin() as connection:
            await connection.execute(text(bound), values | {"opts": options})
        assert await Outbox(engine, [queue]).relay.move() == 1
        job = await queue.get_job("outbox-6f")
        assert job is not None
        assert (job.data, job.opts.attempts) == ({"order": 7}, 5)
        assert job.opts.remove_on_complete is not None
