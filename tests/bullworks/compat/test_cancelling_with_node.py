"""Cancelling jobs that workers of npm bullmq run: with the lines of docs/beyond-bullmq.md, and without."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.compat.node import QUEUE, Node
from tests.bullworks.waiting import eventually


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        yield queue


def asked(queue: Queue, url: str, *, listens: bool = True, final: bool = True) -> dict[str, Any]:
    return {"url": url, "prefix": queue.keys.prefix, "queue": QUEUE, "listens": listens, "final": final}


async def until(job: Job, state: str) -> dict[str, str]:
    async def is_there() -> bool:
        return await job.get_state() == state

    await eventually(is_there, what=f"job {job.id} to be {state}")
    await job.refresh()
    return {"reason": job.failed_reason or "", "attempts": str(job.attempts_made)}


async def ends(queue: Queue, job: Job) -> list[str]:
    entries = await queue.connection.execute("XRANGE", queue.keys.of("events"), "-", "+")
    told = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in entries]
    return [
        event[b"event"].decode()
        for event in told
        if event.get(b"jobId") == job.id.encode() and event[b"event"] in {b"completed", b"failed"}
    ]


async def test_a_worker_with_the_lines_is_told_and_its_job_ends_once(node: Node, queue: Queue, redis_url: str) -> None:
    job = await queue.add("a", {}, attempts=3)
    async with node.serve("cancel.mjs", asked(queue, redis_url)) as out:
        assert json.loads(await out.readline())["started"] == job.id
        assert await queue.cancel(job.id, "not needed") == "requested"
        assert json.loads(await out.readline())["aborted"] == job.id
        assert await until(job, "failed") == {"reason": "cancelled: not needed", "attempts": "1"}
    assert job.is_cancelled
    assert await ends(queue, job) == ["failed"]


async def test_one_that_would_try_again_does_not(node: Node, queue: Queue, redis_url: str) -> None:
    """Its handler ends with an ordinary error and attempts are left: whoever takes the job next fails it unrun."""
    job = await queue.add("a", {}, attempts=3)
    async with node.serve("cancel.mjs", asked(queue, redis_url, final=False)) as out:
        assert json.loads(await out.readline())["started"] == job.id
        await queue.cancel(job.id, "not needed")
        assert (await until(job, "failed"))["reason"] == "cancelled: not needed"
        lines = [json.loads(await out.readline()) for _ in range(3)]
    assert [next(iter(line)) for line in lines] == ["aborted", "failed", "failed"], "it was started again"
    assert await ends(queue, job) == ["failed"]


async def test_one_without_the_lines_runs_the_attempt_to_its_end(node: Node, queue: Queue, redis_url: str) -> None:
    job = await queue.add("a", {}, attempts=3)
    async with node.serve("cancel.mjs", asked(queue, redis_url, listens=False)) as out:
        assert json.loads(await out.readline())["started"] == job.id
        assert await queue.cancel(job.id, "not needed") == "requested"
        assert await job.get_state() == "active"
    assert (await until(job, "completed"))["reason"] == ""
    assert await ends(queue, job) == ["completed"]


async def test_a_job_that_our_worker_left_behind_is_failed_unrun_by_node(
    node: Node, queue: Queue, redis_url: str
) -> None:
    job = await queue.add("a", {}, attempts=3)
    async with Worker(QUEUE, None, connection=redis_url, prefix=queue.keys.prefix) as hand:
        taken = await hand.get_next_job("by hand")
        assert taken is not None
        await queue.cancel(job.id, "not needed")
        await taken.move_to_failed(ValueError("broken"))
    async with node.serve("cancel.mjs", asked(queue, redis_url)) as out:
        assert (await until(job, "failed"))["reason"] == "cancelled: not needed"
        assert json.loads(await out.readline()).get("failed") == job.id, "it was started"
