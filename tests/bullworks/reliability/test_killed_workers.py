"""A worker's process ends: killed, or told to."""

from __future__ import annotations

import signal
import time
from typing import Any

import redis

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields, is_blocked, places
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.worker_process import WorkerProcess
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

LOCK_MS = 1_000
STALLED_INTERVAL_MS = 500


async def test_jobs_of_a_killed_worker_run_again_and_none_is_lost(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 80)
    timing = {"lock_duration": LOCK_MS, "stalled_interval": STALLED_INTERVAL_MS}
    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=60_000, concurrency=50, **timing) as doomed:
        await eventually(lambda: len(ledger.ids("start")) == 50, what=f"50 active jobs; {doomed.log}")
        doomed.kill()
    killed_s = time.monotonic()
    killed = set(ledger.ids("start"))
    assert set(places(look, queue)["active"]) == killed

    first_rerun_s: list[float] = []

    async def process(job: Job[Any, Any]) -> str:
        if job.id in killed and not first_rerun_s:
            first_rerun_s.append(time.monotonic() - killed_s)
        ledger.note("end", job.id)
        return "done"

    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=50, **timing):
        limit_s = (LOCK_MS + 2 * STALLED_INTERVAL_MS) / 1000 + 5
        await eventually(lambda: completed(look, queue) == len(ids), within_s=limit_s)
    assert first_rerun_s[0] <= limit_s
    check_ended(look, queue, ids)
    assert ledger.count("end") == dict.fromkeys(ids, 1)
    assert {fields(look, queue, job_id)["stc"] for job_id in killed} == {"1"}
    assert all("stc" not in fields(look, queue, job_id) for job_id in set(ids) - killed)


async def test_sigterm_starts_nothing_new_and_lets_running_jobs_end(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 20)
    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=700, concurrency=5) as worker:
        await eventually(lambda: len(ledger.ids("start")) >= 5)
        worker.signal(signal.SIGTERM)
        assert worker.wait(within_s=8) == 0
    started = ledger.ids("start")
    assert sorted(ledger.ids("end")) == sorted(started)
    found = places(look, queue)
    assert found["active"] == []
    assert set(found["completed"]) == set(started)
    assert set(found["wait"]) == set(ids) - set(started)
    assert len(found["wait"]) >= 10


async def test_past_the_grace_time_jobs_go_back_to_wait_with_no_attempt_spent(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 8, attempts=3)
    with WorkerProcess(
        own_server.url, key_prefix, "q", ledger.path, run_ms=60_000, grace_ms=500, concurrency=5
    ) as worker:
        await eventually(lambda: len(ledger.ids("start")) == 5)
        told_s = time.monotonic()
        worker.signal(signal.SIGTERM)
        assert worker.wait(within_s=5) == 0
        assert time.monotonic() - told_s < 0.5 + 2
    started = set(ledger.ids("start"))
    found = places(look, queue)
    assert set(found["wait"]) == set(ids)
    assert found["active"] == found["delayed"] == found["failed"] == []
    assert not look.keys(f"{queue.keys.of('*')}:lock")
    for job_id in started:
        job = fields(look, queue, job_id)
        assert job.get("atm", "0") == "0"
        assert "stc" not in job
    # In front of those that never started: they waited first.
    next_up = [job.id for job in await queue.get_jobs("waiting", 0, -1, asc=True)][:5]
    assert set(next_up) == started


async def test_a_killed_worker_that_waits_for_jobs_takes_none_with_it(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, concurrency=5) as idle:
        await eventually(lambda: is_blocked(look), what=idle.log)
        idle.kill()
    ids = await add_many(queue, 5)
    assert places(look, queue)["active"] == []

    async def process(job: Job[Any, Any]) -> None:
        ledger.note("end", job.id)

    async with Worker("q", process, connection=own_server.url, prefix=key_prefix):
        await eventually(lambda: completed(look, queue) == 5)
    check_ended(look, queue, ids)
