"""The option `expires` between Node and us: Node keeps it and ignores it, unless its handler looks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.compat.node import QUEUE, Node, in_node
from tests.bullworks.waiting import eventually

PAST_MS = 1_700_000_000_000


async def test_a_lifetime_that_node_gave_holds_here(node: Node, redis_url: str, key_prefix: str) -> None:
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.id)

    adds = [
        ["add", "mail", {}, {"jobId": "late", "expires": 60_000, "timestamp": PAST_MS, "attempts": 3}],
        ["add", "mail", {}, {"jobId": "late-by-date", "expires": {"at": PAST_MS}}],
        ["add", "mail", {}, {"jobId": "in-time", "expires": 3_600_000}],
    ]
    await in_node(node, redis_url, key_prefix, adds)
    async with (
        Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue,
        Worker(QUEUE, process, connection=redis_url, prefix=key_prefix),
    ):

        async def are_over() -> bool:
            counts = await queue.get_job_counts("completed", "failed")
            return counts == {"completed": 1, "failed": 2}

        await eventually(are_over)
    assert ran == ["in-time"]


async def test_node_keeps_a_lifetime_of_ours_and_runs_the_job_unless_its_handler_looks(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    seen: dict[str, Any] = {}
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        for name in ("plain", "looks"):
            await queue.add(name, {}, job_id=name, attempts=3, expires=60_000, timestamp=PAST_MS)
        await queue.add("looks", {}, job_id="in-time", expires=3_600_000, delay=1)
        async with node.serve("expiring_worker.mjs", question) as lines, asyncio.timeout(10):
            while len(seen) < 3:
                told = json.loads(await lines.readline())
                seen[told["id"]] = told["event"]
        late = await queue.get_job("looks")
    assert seen == {"plain": "completed", "looks": "failed", "in-time": "completed"}
    assert late is not None
    assert (late.failed_reason, late.attempts_made) == ("expired", 1)
