"""Jobs, scripts and handlers that do what they should not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


async def test_scripts_flushed_under_load_fail_nothing_and_run_nothing_twice(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    failures: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await asyncio.sleep(0.002)
        return "done"

    worker: Worker[Any, Any] = Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=20)
    worker.on("failed", lambda _job, error: failures.append(error))
    worker.on("error", failures.append)
    ids: list[str] = []
    async with worker:
        for _ in range(40):
            look.script_flush()
            ids += await add_many(queue, 25)
            look.script_flush()
            await asyncio.sleep(0.02)
        await eventually(lambda: completed(look, queue) == len(ids), within_s=10)
    assert not failures
    assert ledger.count("start") == dict.fromkeys(ids, 1)
    check_ended(look, queue, ids)


@pytest.mark.parametrize("field", ["data", "opts"])
async def test_a_job_that_is_not_json_fails_with_a_reason_and_the_others_run(
    field: str, queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis
) -> None:
    bad = (await queue.add("job", {}, attempts=5, backoff={"type": "fixed", "delay": 1})).id
    good = (await queue.add("job", {"n": 1})).id
    look.hset(queue.keys.of(bad), field, b"{not json \xff")
    runs: list[str] = []

    async def process(job: Job[Any, Any]) -> None:
        runs.append(job.id)

    async with Worker("q", process, connection=own_server.url, prefix=key_prefix):
        await eventually(lambda: completed(look, queue) == 1)
        await eventually(lambda: look.zcard(queue.keys.of("failed")) == 1)
    assert runs == [good]
    assert "not JSON" in fields(look, queue, bad)["failedReason"]
    check_ended(look, queue, [bad, good], failed=1)


async def test_a_result_that_cannot_be_stored_fails_the_job_once(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    async def process(job: Job[Any, Any]) -> object:
        ledger.note("start", job.id)
        return {"object": object()} if job.data["n"] == 0 else float("nan")

    ids = await add_many(queue, 2, attempts=3)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix):
        await eventually(lambda: look.zcard(queue.keys.of("failed")) == 2)
    assert ledger.count("start") == dict.fromkeys(ids, 1)
    assert all("cannot be stored" in fields(look, queue, job_id)["failedReason"] for job_id in ids)
    check_ended(look, queue, ids, failed=2)


async def test_a_handler_that_blocks_the_loop_for_longer_than_the_lock_runs_once(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """Locks are renewed by a thread. Another worker on a loop of its own would take the job otherwise."""
    timing: dict[str, Any] = {"lock_duration": 600, "stalled_interval": 200}
    ids = await add_many(queue, 3)
    lost: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        if job.id == ids[0]:
            time.sleep(2.5)
        return "done"

    def other_worker(is_over: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        async def main() -> None:
            other = asyncio.Event()
            async with Worker("q", process, connection=own_server.url, prefix=key_prefix, **timing):
                asyncio.get_running_loop().call_later(4, other.set)
                await other.wait()

        asyncio.run(main())
        loop.call_soon_threadsafe(is_over.set)

    worker: Worker[Any, Any] = Worker("q", process, connection=own_server.url, prefix=key_prefix, **timing)
    worker.on("lock_renewal_failed", lost.append)
    is_over = asyncio.Event()
    async with worker:
        await eventually(lambda: len(ledger.ids("start")) >= 1)
        other = asyncio.to_thread(other_worker, is_over, asyncio.get_running_loop())
        running = asyncio.ensure_future(other)
        await eventually(lambda: completed(look, queue) == len(ids))
        await asyncio.wait_for(is_over.wait(), 10)
        await running
    assert ledger.count("start") == dict.fromkeys(ids, 1)
    assert not lost
    assert all("stc" not in fields(look, queue, job_id) for job_id in ids)
    check_ended(look, queue, ids)


async def test_a_lock_that_is_really_lost_is_seen_and_the_late_result_refused(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    job_id = (await add_many(queue, 1))[0]
    lost: list[Any] = []
    errors: list[Any] = []
    may_end = asyncio.Event()

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await may_end.wait()
        return "late"

    worker: Worker[Any, Any] = Worker(
        "q", process, connection=own_server.url, prefix=key_prefix, lock_duration=400, stalled_interval=60_000
    )
    worker.on("lock_renewal_failed", lost.append)
    worker.on("error", errors.append)
    async with worker:
        await eventually(lambda: ledger.ids("start"))
        look.set(queue.keys.of(f"{job_id}:lock"), "somebody else")
        await eventually(lambda: lost)
        may_end.set()
        await eventually(lambda: errors)
    assert lost[0] == [job_id]
    assert "returnvalue" not in fields(look, queue, job_id)
    assert completed(look, queue) == 0


async def test_a_poison_job_ends_failed_and_those_beside_it_do_not(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """As after two killed processes: it stalled more often than max_stalled_count allows."""
    ids = await add_many(queue, 4)
    poison = ids[1]

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        return "done"

    look.hset(queue.keys.of(poison), "stc", 1)
    for job_id in ids:
        look.lrem(queue.keys.of("wait"), 0, job_id)
        look.lpush(queue.keys.of("active"), job_id)
        look.sadd(queue.keys.of("stalled"), job_id)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=4, stalled_interval=200):
        await eventually(lambda: completed(look, queue) == 3)
        await eventually(lambda: look.zcard(queue.keys.of("failed")) == 1)
    assert poison not in ledger.ids("start")
    assert "stalled" in fields(look, queue, poison)["failedReason"]
    check_ended(look, queue, ids, failed=1)
