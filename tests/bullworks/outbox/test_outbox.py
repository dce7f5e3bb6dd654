"""A job in the outbox is added if its transaction is committed, in order, whatever dies in between."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import Table, create_mock_engine, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from bullworks.bullmq import InvalidOptionError, InvalidPayloadError, Queue, Worker
from bullworks.outbox import Outbox, UnknownQueueError, UnsupportedDatabaseError, metadata, once, once_sync
from bullworks.outbox import relay as relays
from tests.bullworks.outbox.conftest import Urls
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.process

HOUR_MS = 3_600_000
OUTBOX: Table = metadata.tables["bullworks_outbox"]


async def rows(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(OUTBOX))).scalar_one()


async def numbers(queue: Queue) -> list[int]:
    """The data of jobs that wait, the oldest first."""
    return [job.data["n"] for job in await queue.get_waiting()]


async def write(outbox: Outbox, engine: AsyncEngine, *ns: int, **options: Any) -> list[str]:
    async with AsyncSession(engine) as session, session.begin():
        return [await outbox.add(session, "mail", "welcome", {"n": n}, **options) for n in ns]


async def test_what_is_committed_is_moved_in_order_and_what_is_rolled_back_never_was(
    engine: AsyncEngine, queue: Queue
) -> None:
    async with Outbox(engine, [queue], poll=HOUR_MS) as outbox:
        outbox.start()
        async with AsyncSession(engine) as session:
            await outbox.add(session, "mail", "welcome", {"n": 0})
            await session.rollback()
        first, *_, last = await write(outbox, engine, *range(1, 300), attempts=3)
        async with AsyncSession(engine) as session, session.begin(), session.begin_nested():
            await outbox.add(session, "mail", "welcome", {"n": 300}, job_id="mine")
        await eventually(lambda: _count(queue, 300))
        assert await numbers(queue) == list(range(1, 301))
        job = await queue.get_job(first)
        assert job is not None
        assert (job.name, job.opts.attempts) == ("welcome", 3)
        assert await queue.get_job("mine") is not None
        assert await queue.get_job(last) is not None
        await eventually(lambda: _is_empty(engine))


async def _count(queue: Queue, count: int) -> bool:
    return await queue.get_waiting_count() == count


async def _is_empty(engine: AsyncEngine) -> bool:
    return await rows(engine) == 0


async def test_a_relay_elsewhere_is_woken_by_postgres(postgres: Urls, queue: Queue) -> None:
    """Two relays, neither of which polls, and rows that a third process writes."""
    engines = [postgres.engine("asyncpg"), postgres.engine("psycopg")]
    blocking = postgres.sync_engine("psycopg")
    relaying = [Outbox(engine, [queue], poll=HOUR_MS) for engine in engines]
    writing = Outbox(blocking, [queue])
    for outbox in relaying:
        outbox.start()
    for turn in range(1, 6):
        with Session(blocking) as session, session.begin():
            writing.add_sync(session, "mail", "welcome", {"n": turn})
        await eventually(lambda turn=turn: _count(queue, turn))
    assert await numbers(queue) == [1, 2, 3, 4, 5]
    for outbox in relaying:
        await outbox.close()
    for engine in engines:
        await engine.dispose()
    blocking.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_blocking_engine_has_a_relay_too(kind: str, queue: Queue, request: pytest.FixtureRequest) -> None:
    urls: Urls = request.getfixturevalue(kind)
    engine = urls.sync_engine("pysqlite" if kind == "sqlite" else "psycopg")
    async with Outbox(engine, [queue], poll=HOUR_MS) as outbox:
        outbox.start()

        def add(n: int) -> None:
            with Session(engine) as session, session.begin():
                outbox.add_sync(session, "mail", "welcome", {"n": n})

        for n in (1, 2):
            await asyncio.to_thread(add, n)
        await eventually(lambda: _count(queue, 2))
    assert await numbers(queue) == [1, 2]
    engine.dispose()


async def test_a_relay_that_dies_at_any_gap_neither_loses_nor_doubles(
    engine: AsyncEngine, queue: Queue, monkeypatch: pytest.MonkeyPatch, redis_url: str, key_prefix: str
) -> None:
    """What was added is processed and removed before the next relay finds the rows again."""
    outbox = Outbox(engine, [queue])
    await write(outbox, engine, *range(5), remove_on_complete=True)
    done: list[int] = []

    async def process(job: Any, _: Any = None) -> None:
        done.append(job.data["n"])

    def die(*_: Any) -> None:
        raise OSError("killed")

    for gap in ("read_first", "settle"):
        with monkeypatch.context() as patched:
            patched.setattr(relays, gap, die)
            with pytest.raises(OSError, match="killed"):
                await outbox.relay.move()
        assert await rows(engine) == 5
    async with Worker("mail", process, connection=redis_url, prefix=key_prefix):
        await eventually(lambda: len(done) == 5)
        assert await outbox.relay.move() == 5
        await write(outbox, engine, 5)
        assert await outbox.relay.move() == 1
        await eventually(lambda: 5 in done)
    assert done == [0, 1, 2, 3, 4, 5]
    assert await rows(engine) == 0


async def test_relays_side_by_side_keep_the_order(engine: AsyncEngine, queue: Queue) -> None:
    several = [Outbox(engine, [queue]) for _ in range(3)]
    await write(several[0], engine, *range(600))
    while await rows(engine):
        await asyncio.gather(*(outbox.relay.move() for outbox in several))
    assert await numbers(queue) == list(range(600))


async def test_what_cannot_be_added_is_refused_when_it_is_written(sqlite: Urls, queue: Queue) -> None:
    engine = sqlite.engine("aiosqlite")
    outbox = Outbox(engine, [queue])
    async with AsyncSession(engine) as session:
        with pytest.raises(UnknownQueueError, match="did you mean mail"):
            await outbox.add(session, "mial", "welcome", {})
        with pytest.raises(InvalidPayloadError):
            await outbox.add(session, "mail", "welcome", object())
        refused: list[dict[str, Any]] = [
            {"attempst": 1},
            {"attempts": -1},
            {"deduplication": {"id": "a"}},
            {"group": {"id": "a"}},
            {"parent": {"id": "1", "queue": "bull:a"}},
            {"repeat": {"every": 1}},
        ]
        for options in refused:
            with pytest.raises(InvalidOptionError, match=next(iter(options))):
                await outbox.add(session, "mail", "welcome", {}, **options)  # type: ignore[misc]
        await session.commit()
    assert await rows(engine) == 0
    await engine.dispose()
    with pytest.raises(UnsupportedDatabaseError, match="mysql"):
        Outbox(create_mock_engine("mysql+pymysql://", lambda *_: None))  # type: ignore[arg-type]


async def test_rows_that_are_not_jobs_or_of_other_queues_hold_up_nobody(
    sqlite: Urls, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sqlite.engine("aiosqlite")
    outbox = Outbox(engine, [queue])
    by_hand = "INSERT INTO bullworks_outbox (id, queue, name, data, opts) VALUES "
    async with engine.begin() as connection:
        await connection.execute(text(by_hand + "('a', 'mail', 'welcome', '{\"n\": 1}', 'nothing')"))
        await connection.execute(text(by_hand + "('b', 'sms', 'welcome', '{\"n\": 2}', '{}')"))
    await write(outbox, engine, 3)
    with caplog.at_level(logging.ERROR):
        assert await outbox.relay.move() == 2
    assert "outbox row a is passed over" in caplog.text
    assert await outbox.relay.move() == 0
    assert await numbers(queue) == [3]
    async with engine.connect() as connection:
        left = (await connection.execute(select(OUTBOX.c.id, OUTBOX.c.refused.is_(None)))).all()
    assert [tuple(row) for row in left] == [("a", False), ("b", True)]
    await engine.dispose()


async def test_an_effect_happens_once_and_anew_only_if_it_was_rolled_back(engine: AsyncEngine, queue: Queue) -> None:
    job = await queue.add("welcome", {"n": 1})
    async with AsyncSession(engine) as session:
        assert await once(session, job)
        await session.rollback()
    async with AsyncSession(engine) as session, session.begin():
        assert await once(session, job)
        assert await once(session, job, "receipt")
    async with AsyncSession(engine) as session:
        assert not await once(session, job)
        assert not await session.run_sync(lambda blocking: once_sync(blocking, job, "receipt"))
