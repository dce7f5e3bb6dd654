"""A worker's process ends: killed, or told to."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest
import redis

from bullworks.bullmq import Batch, Job, Queue, Worker
from bullworks.bullmq.scripts.scripts import CHECK_STALLED
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields, is_blocked, places
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.worker_process import POISON, WorkerProcess
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import BUSY_S, eventually

LOCK_MS = 1_000
STALLED_INTERVAL_MS = 500


async def test_jobs_of_a_killed_worker_run_again_side_by_side_and_none_is_lost(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """One after the other they took as long as all of them together."""
    ids = await add_many(queue, 80)
    timing = {"lock_duration": LOCK_MS, "stalled_interval": STALLED_INTERVAL_MS}
    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=60_000, concurrency=50, **timing) as doomed:
        await eventually(lambda: len(ledger.ids("start")) == 50, what=f"50 active jobs; {doomed.log}")
        doomed.kill()
    killed_s = time.monotonic()
    killed = set(ledger.ids("start"))
    assert set(places(look, queue)["active"]) == killed

    run_s = 2.0
    first_rerun_s: list[float] = []

    async def process(job: Job[Any, Any]) -> str:
        if job.id in killed:
            first_rerun_s.append(time.monotonic() - killed_s)
            await asyncio.sleep(run_s)
        ledger.note("end", job.id)
        return "done"

    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, concurrency=50, **timing):
        limit_s = (LOCK_MS + 2 * STALLED_INTERVAL_MS) / 1000 + BUSY_S
        await eventually(lambda: completed(look, queue) == len(ids), within_s=limit_s + run_s)
    assert first_rerun_s[0] <= limit_s
    check_ended(look, queue, ids)
    assert ledger.count("end") == dict.fromkeys(ids, 1)
    assert {fields(look, queue, job_id)["stc"] for job_id in killed} == {"1"}
    assert all("stc" not in fields(look, queue, job_id) for job_id in set(ids) - killed)


async def test_of_batches_in_flight_when_their_worker_is_killed_none_is_lost(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """Some have ended, two run; others of a batch are stored, and nobody's outcome twice."""
    ids = await add_many(queue, 500)
    timing = {"lock_duration": LOCK_MS, "stalled_interval": STALLED_INTERVAL_MS}
    with WorkerProcess(
        own_server.url, key_prefix, "q", ledger.path, run_ms=30, concurrency=2, batch=60, **timing
    ) as doomed:
        await eventually(lambda: completed(look, queue) >= 100, what=f"some batches to end; {doomed.log}")
        doomed.kill()
    assert completed(look, queue) < len(ids), "there was nothing left to lose"
    active = set(places(look, queue)["active"])

    async def process(jobs: list[Job[Any, Any]]) -> None:
        for job in jobs:
            ledger.note("end", job.id)

    batch = Batch(size=60)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, batch=batch, **timing):
        await eventually(lambda: completed(look, queue) == len(ids), within_s=LOCK_MS / 1000 + BUSY_S)
    check_ended(look, queue, ids)
    assert set(ledger.count("end")) == set(ids)
    assert {job_id for job_id, count in ledger.count("end").items() if count > 1} <= active
    assert {job_id for job_id in ids if "stc" in fields(look, queue, job_id)} == active
    told = [entry[b"jobId"] for _, entry in look.xrange(queue.keys.of("events")) if entry[b"event"] == b"completed"]
    assert len(told) == len(set(told)) == len(ids)


@pytest.mark.timeout(60)
async def test_jobs_that_kill_their_process_end_failed_and_those_beside_them_do_not(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """Two of them, and whoever dies is started again; each kills three processes at most, and the last one alone."""
    timing = {"lock_duration": 500, "stalled_interval": 250}
    deaths = 0
    ids = await add_many(queue, 10)
    poison = [(await queue.add(POISON, {})).id for _ in range(2)]
    ids += poison + await add_many(queue, 10)

    def start() -> WorkerProcess:
        return WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=150, concurrency=8, **timing)

    process = start()
    try:
        deadline_s = time.monotonic() + 45
        while completed(look, queue) < 20 or look.zcard(queue.keys.of("failed")) < 2:
            assert time.monotonic() < deadline_s, places(look, queue)
            if process.process.poll() is not None:
                deaths += 1
                process = start()
            await asyncio.sleep(0.05)
        process.signal(signal.SIGTERM)
        process.wait(within_s=15)
    finally:
        process.kill()
    check_ended(look, queue, ids, failed=2)
    assert set(places(look, queue)["failed"]) == set(poison)
    reasons = {fields(look, queue, job_id)["failedReason"] for job_id in poison}
    assert reasons == {"job stalled more than allowable limit"}
    assert 3 <= deaths <= 6
    starts = ledger.count("start")
    assert all(starts[job_id] <= 3 for job_id in poison)


@pytest.mark.parametrize("stalled", [99, 100, 101, 1_000])
async def test_many_jobs_that_stalled_at_once_are_brought_back_in_calls_that_are_bounded(
    stalled: int, queue: Queue[Any], look: redis.Redis
) -> None:
    ids = await add_many(queue, stalled + 300)
    held = ids[::2][:300]
    look.delete(queue.keys.of("wait"))
    look.lpush(queue.keys.of("active"), *ids)
    for job_id in held:
        look.set(queue.keys.of(f"{job_id}:lock"), "alive")
    gone = [job_id for job_id in ids if job_id not in set(held)]
    for expected in ([], gone):
        look.delete(queue.keys.of("stalled-check"))
        calls = 0
        begin: Any = b""
        moved: list[str] = []
        while begin != -1:
            answer, begin = await queue.connection.run(CHECK_STALLED, (queue.keys.base,), [30_000, 1, "1", begin])
            assert len(answer) <= 100
            moved += [job_id.decode() for job_id in answer]
            calls += 1
        assert moved == expected
        assert calls <= len(ids) // 100 + 1
    assert look.lrange(queue.keys.of("active"), 0, -1) == [
        job_id.encode() for job_id in reversed(ids) if job_id in held
    ]
    assert look.scard(queue.keys.of("stalled")) == 0
    assert places(look, queue)["wait"] == gone


async def test_sigterm_starts_nothing_new_and_lets_running_jobs_end(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 20)
    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=700, concurrency=5) as worker:
        await eventually(lambda: len(ledger.ids("start")) >= 5)
        worker.signal(signal.SIGTERM)
        assert worker.wait(within_s=15) == 0
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
        worker.signal(signal.SIGTERM)
        assert worker.wait(within_s=0.5 + BUSY_S) == 0
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


@pytest.mark.parametrize("killed_after_s", [0.0, 0.01])
async def test_jobs_that_are_cancelled_as_their_worker_is_killed_end_once_and_run_no_more(
    queue: Queue[Any],
    own_server: RedisServer,
    key_prefix: str,
    ledger: Ledger,
    look: redis.Redis,
    killed_after_s: float,
) -> None:
    """40 run, here and in a process, and 20 wait; the process dies before it hears of it, as it does, or after."""
    ids = await add_many(queue, 60, attempts=3)
    timing = {"lock_duration": LOCK_MS, "stalled_interval": STALLED_INTERVAL_MS}
    place = {"concurrency": 20, **timing}

    async def process(job: Job[Any, Any]) -> None:
        ledger.note("start", job.id)
        await asyncio.sleep(60)
        ledger.note("end", job.id)

    with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, run_ms=60_000, **place) as doomed:
        async with Worker("q", process, connection=own_server.url, prefix=key_prefix, **place) as other:
            await eventually(lambda: len(ledger.ids("start")) == 40, what=f"40 active jobs; {doomed.log}")
            assert len(other.active_jobs) == 20
            cancelling = asyncio.create_task(queue.cancel_many(ids, "enough"))
            await asyncio.sleep(killed_after_s)
            doomed.kill()
            outcomes = await cancelling
            assert set(outcomes.values()) <= {"requested", "cancelled"}
            await eventually(lambda: look.zcard(queue.keys.of("failed")) == 60, within_s=BUSY_S + 5, what="all to end")
    assert ledger.count("end") == {}
    assert set(ledger.count("start").values()) == {1}, "one ran again"
    assert {fields(look, queue, job_id)["failedReason"] for job_id in ids} == {"cancelled: enough"}
    told = [entry for _, entry in look.xrange(queue.keys.of("events")) if entry[b"event"] == b"failed"]
    assert sorted(entry[b"jobId"].decode() for entry in told) == sorted(ids)
