"""A worker that waits for jobs freezes, or vanishes without a word: it takes no job with it."""

from __future__ import annotations

import asyncio
import gc
import signal
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import (
    add_many,
    blocked_workers,
    check_ended,
    completed,
    fields,
    is_blocked,
)
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.worker_process import WorkerProcess
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

BACK_WITHIN_S = 6
FROZEN = 2


@pytest.fixture
async def jobs(any_server: RedisServer, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """The queue under test."""
    async with Queue("q", connection=any_server.url, prefix=key_prefix) as queue:
        yield queue


async def test_jobs_that_frozen_waiters_were_woken_for_run_elsewhere_in_time(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    """Nothing is handed to them, so nothing has stalled: they hold a marker, and the others wake by themselves."""
    processes = [WorkerProcess(any_server.url, key_prefix, "q", ledger.path, concurrency=5) for _ in range(FROZEN)]
    try:
        with any_server.client() as look:
            await eventually(lambda: blocked_workers(look) == FROZEN)
            for process in processes:
                process.signal(signal.SIGSTOP)

            async def process_job(job: Job[Any, Any]) -> None:
                ledger.note("end", job.id)

            async with Worker("q", process_job, connection=any_server.url, prefix=key_prefix):
                await eventually(lambda: blocked_workers(look) == FROZEN + 1)
                ids = await add_many(jobs, 7, attempts=3)
                await eventually(lambda: completed(look, jobs) == 7, within_s=BACK_WITHIN_S)
            check_ended(look, jobs, ids)
            for job_id in ids:
                job = fields(look, jobs, job_id)
                assert (job.get("stc"), job["ats"], job["atm"]) == (None, "1", "1")
            # One that comes to itself works on.
            for process in processes:
                process.signal(signal.SIGCONT)
            later = await add_many(jobs, 5)
            await eventually(lambda: completed(look, jobs) == 12, within_s=BACK_WITHIN_S)
            assert set(later) <= set(ledger.ids("end"))
    finally:
        for process in processes:
            process.kill()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_loop_that_ends_without_close_leaves_nobody_who_takes_jobs(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    """Nor anything that keeps the worker in memory."""

    async def process(job: Job[Any, Any]) -> None:
        ledger.note("end", job.id)

    with any_server.client() as look:

        async def main() -> weakref.ref[Worker[Any, Any]]:
            worker: Worker[Any, Any] = Worker("q", process, connection=any_server.url, prefix=key_prefix)
            await worker.start()
            await eventually(lambda: is_blocked(look))
            return weakref.ref(worker)

        left = await asyncio.to_thread(lambda: asyncio.run(main()))
        await eventually(lambda: not is_blocked(look), what="the waiter's connection is gone")
        ids = await add_many(jobs, 3)
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix):
            await eventually(lambda: completed(look, jobs) == 3, within_s=BACK_WITHIN_S)
        check_ended(look, jobs, ids)
        assert all("stc" not in fields(look, jobs, job_id) for job_id in ids)

        def is_collected() -> bool:
            gc.collect()
            return left() is None

        await eventually(is_collected, what="the worker is forgotten")


async def test_a_loop_that_just_stops_takes_no_job_with_it(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, ledger: Ledger
) -> None:
    async def process(job: Job[Any, Any]) -> None:
        ledger.note("end", job.id)

    with any_server.client() as look:

        async def main() -> Worker[Any, Any]:
            worker: Worker[Any, Any] = Worker("q", process, connection=any_server.url, prefix=key_prefix)
            await worker.start()
            await eventually(lambda: is_blocked(look))
            return worker

        loop = asyncio.new_event_loop()
        worker = await asyncio.to_thread(loop.run_until_complete, main())
        ids = await add_many(jobs, 3)
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix):
            await eventually(lambda: completed(look, jobs) == 3, within_s=BACK_WITHIN_S)
        check_ended(look, jobs, ids)
        assert all("stc" not in fields(look, jobs, job_id) for job_id in ids)
        await asyncio.to_thread(loop.run_until_complete, worker.close(0))
        loop.close()
