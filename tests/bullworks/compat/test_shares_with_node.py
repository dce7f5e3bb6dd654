"""One queue, both sides at once: what Node writes we read, and the reverse."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bullworks.bullmq import Backoff, Queue, Retention, Worker
from tests.bullworks.compat.node import QUEUE, Node, in_node
from tests.bullworks.waiting import eventually

DATA = {"text": 'żółć 漢字 😀 \u2028\\"', "n": [1, 2.5, -3, 1e100, None, True], "deep": {"a": {"b": []}}}


async def test_we_read_a_job_that_node_added(node: Node, redis_url: str, key_prefix: str) -> None:
    options = {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 1000, "jitter": 0.5},
        "priority": 7,
        "jobId": "from-node",
        "removeOnComplete": True,
        "removeOnFail": {"age": 60, "count": 5},
        "keepLogs": 10,
        "sizeLimit": 5000,
        "telemetry": {"metadata": "x"},
    }
    await in_node(node, redis_url, key_prefix, [["add", "mail", DATA, options]])
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        job = await queue.get_job("from-node")
    assert job is not None
    assert (job.name, job.data, job.priority, job.attempts_made) == ("mail", DATA, 7, 0)
    assert job.opts.attempts == 3
    assert job.opts.backoff == Backoff.exponential(1000, jitter=0.5)
    assert job.opts.remove_on_complete == Retention(count=0)
    assert job.opts.remove_on_fail == Retention(count=5, age_s=60)
    assert (job.opts.keep_logs, job.opts.size_limit, job.opts.job_id) == (10, 5000, "from-node")


async def test_node_reads_a_job_that_we_added(node: Node, redis_url: str, key_prefix: str) -> None:
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        await queue.add("mail", DATA, job_id="from-python", attempts=3, backoff=1000, delay=1_000_000)
        job = await queue.get_job("from-python")
        assert job is not None
        await job.update_progress({"step": 1})
        await job.log("first")
    state, read, logs, counts = await in_node(
        node,
        redis_url,
        key_prefix,
        [["state", "from-python"], ["read", "from-python"], ["logs", "from-python"], ["counts"]],
    )
    assert state == "delayed"
    assert (read["name"], read["data"], read["progress"], read["delay"]) == ("mail", DATA, {"step": 1}, 1_000_000)
    assert logs == {"logs": ["first"], "count": 1}
    assert counts["delayed"] == 1


async def test_a_node_worker_runs_our_jobs(node: Node, redis_url: str, key_prefix: str) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        good = await queue.add("mail", DATA)
        bad = await queue.add("mail", {"fail": "no such address"}, attempts=2)
        async with node.serve("worker.mjs", question) as lines:
            seen: list[dict[str, Any]] = []
            async with asyncio.timeout(10):
                while {event["event"] for event in seen} != {"completed", "failed"} or len(seen) < 3:
                    seen.append(json.loads(await lines.readline()))
            workers = await queue.get_workers()
        assert next(event for event in seen if event["id"] == good.id)["data"] == DATA
        await good.refresh()
        await bad.refresh()
    assert good.returnvalue == {"ran": "mail", "attemptsStarted": 1}
    assert (good.progress, good.processed_by) == (50, "node-worker")
    assert (bad.failed_reason, bad.attempts_made) == ("no such address", 2)
    assert len(bad.stacktrace) == 2
    assert [(worker.name, worker.worker_name) for worker in workers] == [(QUEUE, "node-worker")]


async def test_our_worker_runs_nodes_jobs_and_both_see_it_among_the_workers(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    async def process(job: Any) -> dict[str, Any]:
        await job.update_progress(50)
        return {"got": job.data}

    connection = {"connection": redis_url, "prefix": key_prefix}
    async with Queue(QUEUE, **connection) as queue, Worker(QUEUE, process, name="ours", **connection):
        await eventually(queue.get_workers, what="our worker to be listed")
        steps: list[list[Any]] = [["add", "mail", DATA, {"jobId": "a"}], ["workers"]]
        _, workers = await in_node(node, redis_url, key_prefix, steps)

        async def is_completed() -> bool:
            return await queue.get_job_state("a") == "completed"

        await eventually(is_completed)
        ours = await queue.get_workers()
    (read,) = await in_node(node, redis_url, key_prefix, [["read", "a"]])
    assert (read["returnvalue"], read["progress"], read["attemptsMade"]) == ({"got": DATA}, 50, 1)
    assert {"name": QUEUE, "rawname": ours[0].raw_name} in workers
    assert [(worker.name, worker.worker_name) for worker in ours] == [(QUEUE, "ours")]
