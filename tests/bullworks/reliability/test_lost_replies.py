"""Redis ran a command, and its reply never came."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from bullworks.bullmq.scripts.processing import ADVANCE, FETCH
from bullworks.bullmq.scripts.steps import CHECKPOINT
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields, is_blocked
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.proxy import Command, FaultProxy, runs
from tests.bullworks.waiting import eventually


def _finishes(command: Command) -> bool:
    """An advance that stores at least one outcome."""
    return runs(ADVANCE.sha)(command) and b"complete" in command


def _fetches(command: Command) -> bool:
    return runs(FETCH.sha, ADVANCE.sha)(command) and b"complete" not in command


@pytest.fixture(autouse=True)
def known_scripts(look: redis.Redis) -> None:
    """Redis knows the scripts already: a first EVALSHA would only be answered by NOSCRIPT."""
    for script in (ADVANCE, FETCH, CHECKPOINT):
        look.script_load(script.source.decode())


async def test_a_lost_finish_reply_leaves_the_job_completed_once(
    queue: Queue[Any],
    proxy: FaultProxy,
    key_prefix: str,
    ledger: Ledger,
    look: redis.Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    completions: list[str] = []
    failures: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        return "done"

    worker: Worker[Any, Any] = Worker("q", process, connection=proxy.url, prefix=key_prefix)
    worker.on("completed", lambda job, _result: completions.append(job.id))
    worker.on("failed", lambda _job, error: failures.append(error))
    worker.on("error", failures.append)
    with caplog.at_level(logging.INFO):
        async with worker:
            for _ in range(3):
                proxy.lose_reply(_finishes)
                await queue.add("job", {})
            await eventually(lambda: completed(look, queue) == 3)
            await eventually(lambda: len(completions) == 3)
    ids = ledger.ids("start")
    assert proxy.lost
    assert sorted(completions) == sorted(set(ids))
    assert not failures
    assert set(ledger.count("start").values()) == {1}
    check_ended(look, queue, set(ids))
    for job_id in ids:
        assert fields(look, queue, job_id)["returnvalue"] == '"done"'
    assert not [record for record in caplog.records if "failed:" in record.getMessage()]


def _keeps_a_step(command: Command) -> bool:
    return runs(CHECKPOINT.sha)(command)


def _suspends(command: Command) -> bool:
    return runs(ADVANCE.sha)(command) and b"suspend" in command


async def test_a_lost_reply_to_a_step_or_a_sleep_costs_neither_a_call_nor_an_attempt(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    failures: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        await job.step("call", ledger.note, "call", job.id)
        await job.sleep("nap", 20)
        return str(await job.wait_for("go", timeout=60_000))

    worker: Worker[Any, Any] = Worker("q", process, connection=proxy.url, prefix=key_prefix)
    worker.on("failed", lambda _job, error: failures.append(error))
    proxy.lose_reply(_keeps_a_step)
    proxy.lose_reply(_suspends, times=2)
    async with worker:
        job = await queue.add("job", {})
        await eventually(lambda: b"bw:wait:go" in look.hgetall(queue.keys.of(job.id)), what="a wait")
        await queue.signal(job.id, "go", "gone")
        assert await job.wait_until_finished(ttl=10_000) == "gone"
    assert len(proxy.lost) == 3
    assert not failures
    await job.refresh()
    assert (ledger.ids("call"), job.attempts_made, job.failed_reason) == ([job.id], 1, None)


async def test_a_batch_whose_reply_is_lost_is_completed_once_each(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """The lost trip stored outcomes and took new jobs: neither may be lost, nor done twice."""
    ids = await add_many(queue, 500)

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        await asyncio.sleep(0.005)
        return "done"

    proxy.lose_reply(_finishes, times=4)
    async with Worker("q", process, connection=proxy.url, prefix=key_prefix, concurrency=20):
        await eventually(lambda: completed(look, queue) == len(ids))
    assert len(proxy.lost) == 4
    check_ended(look, queue, ids)
    assert ledger.count("start") == dict.fromkeys(ids, 1)
    assert not [job_id for job_id in ids if "stc" in fields(look, queue, job_id)]


@pytest.mark.parametrize("is_waiting", [True, False], ids=["while waiting", "while busy"])
async def test_a_fetch_reply_lost_twice_in_a_row_loses_no_job(
    is_waiting: bool, queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """The job lies in `active` under this worker's lock, and the worker does not know of it."""

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        return "done"

    worker: Worker[Any, Any] = Worker("q", process, connection=proxy.url, prefix=key_prefix, concurrency=5)
    if is_waiting:
        async with worker:
            await eventually(lambda: is_blocked(look))
            proxy.lose_reply(_fetches, times=2)
            # The wait under way was sent before: end it with a job, the next two replies are lost.
            first = (await queue.add("job", {"n": 1})).id
            await eventually(lambda: completed(look, queue) == 1)
            second = (await queue.add("job", {"n": 2})).id
            await eventually(lambda: completed(look, queue) == 2)
        ids = [first, second]
    else:
        ids = await add_many(queue, 12)
        proxy.lose_reply(_fetches, times=2)
        async with worker:
            await eventually(lambda: completed(look, queue) == len(ids))
    assert len(proxy.lost) == 2
    check_ended(look, queue, ids)
    for job_id in ids:
        job = fields(look, queue, job_id)
        assert job.get("stc", "0") == "0"
        assert job["atm"] == "1"
    assert ledger.count("start") == dict.fromkeys(ids, 1)


async def test_an_outcome_of_another_kind_survives_a_lost_reply_too(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """A retry stored twice would spend two attempts."""

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        if job.attempts_made == 0:
            raise RuntimeError("not yet")
        return "done"

    def retries(command: Command) -> bool:
        return runs(ADVANCE.sha)(command) and any(b"not yet" in part for part in command)

    proxy.lose_reply(retries)
    async with Worker("q", process, connection=proxy.url, prefix=key_prefix):
        job = await queue.add("job", {}, attempts=3)
        await eventually(lambda: completed(look, queue) == 1)
    assert proxy.lost
    assert fields(look, queue, job.id)["atm"] == "2"
    assert ledger.count("start") == {job.id: 2}
    check_ended(look, queue, [job.id])
