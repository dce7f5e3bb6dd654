"""Redis is away for longer than a lock lives: what runs is not run again, nor failed for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

LOCK_MS = 1_000
TIMING: dict[str, Any] = {"lock_duration": LOCK_MS, "stalled_interval": 1_000}


@pytest.fixture
async def jobs(any_server: RedisServer, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """The queue under test."""
    async with Queue("q", connection=any_server.url, prefix=key_prefix) as queue:
        yield queue


@pytest.fixture
def other_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A second one, which hangs."""
    folder = tmp_path / "other"
    folder.mkdir()
    with RedisServer(folder) as server:
        yield server
        server.thaw()


@pytest.mark.parametrize("way", ["frozen", "restarted"])
async def test_jobs_that_ran_through_two_outages_end_once(
    way: str, jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    may_end = asyncio.Event()

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        ledger.note("end", job.id)
        return "done"

    async def go_away() -> None:
        if way == "frozen":
            any_server.freeze()
            await asyncio.sleep(2 * LOCK_MS / 1000)
            any_server.thaw()
        else:
            any_server.stop()
            await asyncio.sleep(2 * LOCK_MS / 1000)
            await asyncio.to_thread(any_server.start)

    ids = await add_many(jobs, 4, attempts=3)
    worker: Worker[Any, Any] = Worker(
        "q", process, connection=any_server.url, prefix=key_prefix, concurrency=4, **TIMING
    )
    other: Worker[Any, Any] = Worker(
        "q", process, connection=any_server.url, prefix=key_prefix, concurrency=4, **TIMING
    )
    renewed: list[Any] = []
    worker.on("locks_renewed", renewed.append)
    async with worker:
        await eventually(lambda: len(ledger.ids("start")) == 4)
        async with other:  # idle: it would take what is given up
            for _ in range(2):
                await go_away()
                renewed.clear()
                await eventually(lambda: renewed, what="the locks are taken back")
            may_end.set()
            with any_server.client() as look:
                await eventually(lambda: completed(look, jobs) == 4)
    assert ledger.count("start") == ledger.count("end") == dict.fromkeys(ids, 1)
    with any_server.client() as look:
        check_ended(look, jobs, ids)
        assert not [job_id for job_id in ids if "stc" in fields(look, jobs, job_id)]


async def test_a_job_that_ended_while_redis_was_away_is_completed_though_its_lock_ran_out(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    may_end = asyncio.Event()

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        return "done"

    ids = await add_many(jobs, 4)
    async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=4, **TIMING):
        await eventually(lambda: len(ledger.ids("start")) == 4)
        any_server.freeze()
        may_end.set()
        await asyncio.sleep(2 * LOCK_MS / 1000)
        any_server.thaw()
        with any_server.client() as look:
            await eventually(lambda: completed(look, jobs) == 4)
            check_ended(look, jobs, ids)
    assert ledger.count("start") == dict.fromkeys(ids, 1)


async def test_a_server_that_hangs_costs_the_jobs_of_another_nothing(
    jobs: Queue[Any],
    any_server: RedisServer,
    other_server: RedisServer,
    key_prefix: str,
    ledger: Ledger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    may_end = asyncio.Event()
    lost: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        return "done"

    ids = await add_many(jobs, 2)
    async with Queue("q", connection=other_server.url, prefix=key_prefix) as other_jobs:
        await add_many(other_jobs, 2)
    worker: Worker[Any, Any] = Worker(
        "q", process, connection=any_server.url, prefix=key_prefix, concurrency=2, **TIMING
    )
    hung: Worker[Any, Any] = Worker(
        "q", process, connection=other_server.url, prefix=key_prefix, concurrency=2, **TIMING
    )
    worker.on("lock_renewal_failed", lost.append)
    async with hung, worker:
        await eventually(lambda: len(ledger.ids("start")) == 4)
        other_server.freeze()
        with any_server.client() as look:
            for _ in range(60):
                assert all(look.exists(jobs.keys.of(f"{job_id}:lock")) for job_id in ids)
                await asyncio.sleep(0.1)
            other_server.thaw()
            may_end.set()
            await eventually(lambda: completed(look, jobs) == 2)
    assert not lost
    assert "blocks it" not in caplog.text


async def test_a_loop_that_is_really_blocked_is_told_of_once(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr("bullworks.bullmq.worker.lock_renewer._BLOCK_WARNING_S", 0.5)

    async def process(job: Job[Any, Any]) -> None:
        time.sleep(2)

    await add_many(jobs, 1)
    with caplog.at_level(logging.WARNING):
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, **TIMING):
            with any_server.client() as look:
                await eventually(lambda: completed(look, jobs) == 1)
    assert caplog.text.count("a handler is blocking it") == 1


@pytest.mark.parametrize("ends", [True, False], ids=["it ends", "it is renewed"])
async def test_a_lock_that_ran_out_and_is_nobodys_is_taken_back(
    ends: bool, jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    may_end = asyncio.Event()
    errors: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        return "done"

    worker: Worker[Any, Any] = Worker("q", process, connection=any_server.url, prefix=key_prefix, lock_duration=1_000)
    worker.on("error", errors.append)
    (job_id,) = await add_many(jobs, 1)
    async with worker:
        await eventually(lambda: ledger.ids("start"))
        with any_server.client() as look:
            look.delete(jobs.keys.of(f"{job_id}:lock"))
            if not ends:
                await eventually(lambda: look.exists(jobs.keys.of(f"{job_id}:lock")))
            may_end.set()
            await eventually(lambda: completed(look, jobs) == 1)
            check_ended(look, jobs, [job_id])
    assert not errors


async def test_the_first_check_after_an_outage_only_marks(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    """As its timer does it; a check by hand asks for less, as npm bullmq does."""
    worker: Worker[Any, Any] = Worker("q", None, connection=any_server.url, prefix=key_prefix)
    (job_id,) = await add_many(jobs, 1)
    async with worker:
        job = await worker.get_next_job("token")
        assert job is not None
        checker = worker._engine.stalled
        with any_server.client() as look:
            found = []
            for step in ("locked", "away", "back", "away", "still away"):
                look.delete(jobs.keys.of("stalled-check"))
                if step == "away":
                    look.delete(jobs.keys.of(f"{job_id}:lock"))
                if step == "back":
                    # Its holder takes it back, as the renewer does.
                    assert await worker._engine._jobs.finisher._scripts.take_back({job_id: "token"}) == []
                found.append(await checker.check(confirms=True))
            assert found == [[], [], [], [], [job_id]]
