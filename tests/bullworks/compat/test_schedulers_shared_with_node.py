"""One scheduler, Node and Python at once: set by one and run by the other, and by both."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.compat.node import QUEUE, Node, in_node
from tests.bullworks.waiting import eventually

TICK_MS = 100
Connection = dict[str, Any]


def due_ms(job: Job) -> int:
    return int(job.id.rpartition(":")[2])


async def ended(queue: Queue, count: int) -> list[Job]:
    """So many completed jobs, once there are."""

    async def enough() -> list[Job]:
        jobs = await queue.get_completed()
        return jobs if len(jobs) >= count else []

    return await eventually(enough, what=f"{count} completed jobs")


async def settled(queue: Queue) -> list[Job]:
    """All completed jobs, once nothing is left to run; each the one after that before it."""

    async def is_quiet() -> bool:
        return not any((await queue.get_job_counts("active", "waiting", "delayed")).values())

    await eventually(is_quiet)
    jobs = sorted(await queue.get_completed(), key=due_ms)
    for last, job in itertools.pairwise(jobs):
        following = due_ms(last) + TICK_MS
        # What was past when the job was added, which is its `timestamp`, is skipped; but setting a scheduler anew adds
        # a job again that waited already.
        behind = max(job.timestamp - following + TICK_MS - 1, 0) // TICK_MS
        expected = {following, following + behind * TICK_MS}
        assert due_ms(job) in expected, f"after {last.id}, added {job.timestamp}: {job.id}"
    return jobs


async def test_a_node_worker_runs_our_scheduler(node: Node, redis_url: str, key_prefix: str) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        await queue.upsert_job_scheduler("s", {"every": TICK_MS, "limit": 8}, {"name": "tick", "data": {"a": 1}})
        await queue.upsert_job_scheduler("p", {"pattern": "* * * * * *", "tz": "Europe/Paris", "limit": 2})
        async with node.serve("worker.mjs", question):
            await ended(queue, 10)
        jobs = await queue.get_completed()
        ours = await queue.get_job_scheduler("s")
    assert ours is not None
    assert (ours.iteration_count, ours.limit) == (8, 8)
    ticks = [job for job in jobs if job.repeat_job_key == "s"]
    assert {job.data["a"] for job in ticks} == {1}
    assert {job.name for job in ticks} == {"tick"}
    assert sorted(due_ms(job) % 1_000 for job in jobs if job.repeat_job_key == "p") == [0, 0]


async def test_our_worker_runs_nodes_scheduler(node: Node, redis_url: str, key_prefix: str) -> None:
    template = {"name": "tick", "data": {"a": 1}, "opts": {"removeOnFail": True, "keepLogs": 3}}
    steps: list[Any] = [
        ["upsert", "s", {"every": TICK_MS, "limit": 8}, template],
        ["upsert", "p", {"pattern": "* * * * * *", "tz": "Europe/Paris", "limit": 2}],
    ]
    await in_node(node, redis_url, key_prefix, steps)

    async def process(job: Job) -> Any:
        return job.data

    async with (
        Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue,
        Worker(QUEUE, process, connection=redis_url, prefix=key_prefix),
    ):
        jobs = await ended(queue, 10)
        assert {job.opts.keep_logs for job in jobs if job.repeat_job_key == "s"} == {3}
    (theirs,) = await in_node(node, redis_url, key_prefix, [["scheduler", "s"]])
    assert (theirs["iterationCount"], theirs["name"], theirs["data"]) == (8, "tick", {"a": 1})


async def test_workers_of_both_share_one_scheduler_and_both_change_it(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.id)
        await asyncio.sleep(1.5 * TICK_MS / 1000)  # so the other side runs the next one

    async with (
        Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue,
        node.serve("worker.mjs", question) as lines,
    ):
        async with Worker(QUEUE, process, connection=redis_url, prefix=key_prefix, name="ours"):
            for _ in range(3):
                await queue.upsert_job_scheduler("s", {"every": TICK_MS}, {"data": "ours"})
                await ended(queue, len(await queue.get_completed()) + 6)
                await in_node(node, redis_url, key_prefix, [["upsert", "s", {"every": TICK_MS}, {"data": "theirs"}]])
            await ended(queue, len(await queue.get_completed()) + 6)
            (removed,) = await in_node(node, redis_url, key_prefix, [["removeScheduler", "s"]])
            assert removed is True
            jobs = await settled(queue)
        node_ran = []
        while len(node_ran) + len(ran) < len(jobs):
            event = json.loads(await asyncio.wait_for(lines.readline(), 10))
            assert event["event"] == "completed"
            node_ran.append(event["id"])
    assert sorted(ran + node_ran, key=str) == sorted((job.id for job in jobs), key=str)
    assert {job.processed_by for job in jobs} == {"ours", "node-worker"}
    assert {job.data for job in jobs} == {"ours", "theirs"}
    assert len(jobs) >= 24
