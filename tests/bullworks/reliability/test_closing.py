"""Closing and pausing at the worst moment: no job is left in `active`."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from bullworks.bullmq.scripts.processing import ADVANCE
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields, is_blocked, places
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.proxy import FaultProxy, runs
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import BUSY_S, eventually


@pytest.mark.parametrize("way", ["close", "pause"])
async def test_ending_the_wait_for_jobs_leaks_none(
    way: str, queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """The fetch behind the wait runs even after CLIENT UNBLOCK: what it brings has to go back, unspent."""

    async def process(job: Job[Any, Any]) -> None:
        ledger.note("start", job.id)

    ids: list[str] = []
    for _ in range(15):
        worker: Worker[Any, Any] = Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=10)
        async with worker:
            await eventually(lambda: is_blocked(look))
            adding = asyncio.ensure_future(add_many(queue, 3))
            await asyncio.sleep(0)
            await (worker.close() if way == "close" else worker.pause())
            ids += await adding
            # A closed worker has given back all it got; a paused one is still alive to do so.
            within_s = 0.0 if way == "close" else 2.0
            await eventually(lambda: not places(look, queue)["active"], within_s=within_s)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=10):
        await eventually(lambda: completed(look, queue) == len(ids))
    assert ledger.count("start") == dict.fromkeys(ids, 1)
    assert all(fields(look, queue, job_id)["atm"] == "1" for job_id in ids)
    assert not [job_id for job_id in ids if "stc" in fields(look, queue, job_id)]
    check_ended(look, queue, ids)


async def test_closing_right_after_a_lost_fetch_brings_its_job_back_first(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, look: redis.Redis
) -> None:
    async def process(job: Job[Any, Any]) -> None:
        return

    look.script_load(ADVANCE.source.decode())
    for _ in range(5):
        worker: Worker[Any, Any] = Worker("q", process, connection=proxy.url, prefix=key_prefix)
        await worker.start()
        await eventually(lambda: is_blocked(look))
        proxy.lose_reply(runs(ADVANCE.sha))
        lost = len(proxy.lost)
        adding = asyncio.ensure_future(queue.add("job", {}))
        await eventually(lambda: len(proxy.lost) > lost)  # noqa: B023 - asked within the round
        await worker.close(grace=0)
        job = await adding
        assert places(look, queue)["active"] == []
        assert fields(look, queue, job.id).get("stc") is None


async def test_closing_an_idle_worker_does_not_wait_for_its_wait_to_end(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis
) -> None:
    async def process(job: Job[Any, Any]) -> None:
        return

    worker: Worker[Any, Any] = Worker("q", process, connection=own_server.url, prefix=key_prefix, drain_delay=10_000)
    await worker.start()
    await eventually(lambda: is_blocked(look))
    started_s = time.monotonic()
    await worker.close()
    assert time.monotonic() - started_s < BUSY_S
    assert not is_blocked(look)


async def test_closing_with_redis_gone_ends_in_time_and_says_so(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    """What ran is run again once Redis is back: at least once, never lost."""
    ids = await add_many(queue, 5)
    may_end = asyncio.Event()

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        return "done"

    timing: dict[str, Any] = {"lock_duration": 1_000, "stalled_interval": 300}
    worker: Worker[Any, Any] = Worker(
        "q", process, connection=own_server.url, prefix=key_prefix, concurrency=5, **timing
    )
    await worker.start()
    await eventually(lambda: len(ledger.ids("start")) == 5)
    own_server.stop()
    may_end.set()
    started_s = time.monotonic()
    await worker.close(grace=1_000)
    assert time.monotonic() - started_s < 1 + BUSY_S
    assert "run again" in caplog.text
    await asyncio.to_thread(own_server.start)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=5, **timing):
        with own_server.client() as look:
            await eventually(lambda: completed(look, queue) == 5)
            check_ended(look, queue, ids)


async def test_closing_into_a_black_hole_ends_in_time_and_loses_nothing(
    queue: Queue[Any], proxy: FaultProxy, own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        return "done"

    timing: dict[str, Any] = {"lock_duration": 1_000, "stalled_interval": 300}
    worker: Worker[Any, Any] = Worker("q", process, connection=proxy.url, prefix=key_prefix, **timing)
    await worker.start()
    await eventually(lambda: is_blocked(look))
    proxy.black_hole()
    ids = await add_many(queue, 3)
    started_s = time.monotonic()
    await worker.close(grace=500)
    assert time.monotonic() - started_s < 0.5 + BUSY_S
    proxy.heal()
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, **timing):
        await eventually(lambda: completed(look, queue) == 3)
    check_ended(look, queue, ids)
