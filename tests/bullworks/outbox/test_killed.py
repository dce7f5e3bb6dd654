"""A relay is killed in the midst of its rows: none is lost, and no effect is doubled."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from bullworks.bullmq import Job, Queue, Worker
from bullworks.outbox import Outbox, metadata, once
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.outbox.conftest import Urls
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.kill

ROWS = 500


async def test_a_killed_relay_loses_no_row_and_doubles_no_effect(
    postgres: Urls, queue: Queue, redis_url: str, key_prefix: str
) -> None:
    engine = postgres.engine("asyncpg")
    outbox = Outbox(engine, [queue])
    starts: list[int] = []
    async with AsyncSession(engine) as session, session.begin():
        await session.execute(text("CREATE TABLE paid (n int)"))
        for n in range(ROWS):
            await outbox.add(session, "mail", "pay", {"n": n}, remove_on_complete=True)

    async def pay(job: Job, _: Any = None) -> None:
        starts.append(job.data["n"])
        async with AsyncSession(engine) as session, session.begin():
            if await once(session, job):
                await session.execute(text("INSERT INTO paid VALUES (:n)"), job.data)

    command = [sys.executable, "-m", "tests.bullworks.outbox.relay_process"]
    where = [postgres.of("asyncpg"), redis_url, key_prefix]
    relay = subprocess.Popen([*command, *where], cwd=Path(__file__).parents[3])
    end_with_tests(relay)
    async with Worker("mail", pay, connection=redis_url, prefix=key_prefix, concurrency=4):
        await eventually(lambda: bool(starts))
        relay.kill()
        await asyncio.to_thread(relay.wait)
        outbox.start()
        await eventually(lambda: len(set(starts)) == ROWS)
        await eventually(queue_is_idle(queue))
    await outbox.close()
    async with engine.connect() as connection:
        paid = (await connection.scalars(text("SELECT n FROM paid ORDER BY n"))).all()
        left = await connection.scalar(select(func.count()).select_from(metadata.tables["bullworks_outbox"]))
    assert list(paid) == list(range(ROWS))
    assert len(starts) == ROWS
    assert left == 0
    await engine.dispose()


def queue_is_idle(queue: Queue) -> Any:
    """A probe: nothing waits, and nothing runs."""

    async def probe() -> bool:
        counts = await queue.get_job_counts("wait", "active")
        return not any(counts.values())

    return probe
