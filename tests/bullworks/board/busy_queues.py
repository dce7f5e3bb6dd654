"""Queues with some of everything that a board shows."""

from __future__ import annotations

import json
from typing import Any

from bullworks.bullmq import FlowProducer, JobSpec, Queue, Worker

NAMES = ("busy", "other", "empty")
AT_MS = 1_700_000_000_000
"""When the jobs were created; a time of the past, so that nothing about them changes while boards are compared."""


async def fill(url: str, prefix: str = "bull") -> None:
    """Jobs in every state, a flow over two queues, schedulers, logs, metrics, limits, and a queue that has nothing."""
    async with (
        Queue[Any]("busy", connection=url, prefix=prefix) as busy,
        Queue[Any]("other", connection=url, prefix=prefix) as other,
        Queue[Any]("empty", connection=url, prefix=prefix) as empty,
        FlowProducer(connection=url, prefix=prefix) as flows,
    ):
        for queue in (busy, other, empty):
            await queue.wait_until_ready()
        await _finished(busy, url, prefix)
        await _waiting(busy)
        await _flow(flows, other, url, prefix)
        await _schedulers(busy)
        await _orphans(busy)
        await busy.set_global_concurrency(7)
        await busy.set_global_rate_limit(100, 60_000)
        await other.pause()


async def _finished(queue: Queue[Any], url: str, prefix: str) -> None:
    await queue.add("succeeds", {"n": 1, "deep": {"list": [1, "two", None, 3.5]}}, timestamp=AT_MS, attempts=3)
    await queue.add("fails", ["data", "may", "be", "a list"], timestamp=AT_MS + 1, attempts=1, backoff=500)
    await queue.add("held", "or a text", timestamp=AT_MS + 2, remove_on_complete={"age": 60, "count": 5}, keep_logs=3)
    async with Worker[Any, Any](
        "busy", None, connection=url, prefix=prefix, name="worker-1", metrics={"max_data_points": 100}
    ) as worker:
        succeeds = await worker.get_next_job("token", block=False)
        assert succeeds is not None
        await succeeds.update_progress({"percent": 50})
        await succeeds.log("began")
        await succeeds.log("<b>ended</b>")
        await succeeds.move_to_completed({"sent": True}, "token", fetch_next=False)
        fails = await worker.get_next_job("token", block=False)
        assert fails is not None
        await fails.move_to_failed(ValueError("no such address"), "token", fetch_next=False)
        held = await worker.get_next_job("token", block=False)
        assert held is not None
        await held.update_progress(42)


async def _waiting(queue: Queue[Any]) -> None:
    # More than a page holds.
    await queue.add_bulk([JobSpec("waits", {"n": number}, timestamp=AT_MS + number) for number in range(10, 25)])
    await queue.add("first", {}, timestamp=AT_MS + 30, priority=3)
    await queue.add("second", None, timestamp=AT_MS + 31, priority=9, lifo=True)
    await queue.add(
        "later", {"a": "ü"}, timestamp=AT_MS + 32, delay=10**12, backoff={"type": "exponential", "delay": 9}
    )
    await queue.add("once", {}, timestamp=AT_MS + 33, job_id="my id a/b%2F", deduplication={"id": "only"})


async def _flow(flows: FlowProducer, other: Queue[Any], url: str, prefix: str) -> None:
    await flows.add(
        {
            "name": "root",
            "queue_name": "other",
            "opts": {"job_id": "root", "timestamp": AT_MS + 40},
            "children": [
                {"name": "done", "queue_name": "other", "opts": {"job_id": "done", "timestamp": AT_MS + 41}},
                {
                    "name": "ignored",
                    "queue_name": "other",
                    "opts": {
                        "job_id": "ignored",
                        "timestamp": AT_MS + 42,
                        "ignore_dependency_on_failure": True,
                        "attempts": 1,
                    },
                },
                {"name": "elsewhere", "queue_name": "unlisted", "opts": {"job_id": "far", "timestamp": AT_MS + 50}},
                {
                    "name": "branch",
                    "queue_name": "busy",
                    "opts": {"job_id": "branch", "timestamp": AT_MS + 43},
                    "children": [
                        {
                            "name": f"leaf {number}",
                            "queue_name": "other",
                            "opts": {"job_id": f"leaf-{number}", "timestamp": AT_MS + 44 + number},
                        }
                        for number in range(3)
                    ],
                },
            ],
        }
    )
    async with Worker[Any, Any]("other", None, connection=url, prefix=prefix) as worker:
        for _ in range(2):
            job = await worker.get_next_job("token", block=False)
            assert job is not None
            if job.name == "ignored":
                await job.move_to_failed(RuntimeError("not needed"), "token", fetch_next=False)
            else:
                await job.move_to_completed(job.name, "token", fetch_next=False)


async def _orphans(queue: Queue[Any]) -> None:
    """Jobs whose parent is gone, or in a queue that no board shows."""
    for job_id, parent_queue in (("orphan", "bull:busy"), ("lost", "bull:unlisted")):
        fields = {
            "name": job_id,
            "data": "{}",
            "opts": json.dumps({"parent": {"id": "gone", "queue": parent_queue}}),
            "timestamp": AT_MS,
            "priority": 0,
            "delay": 0,
        }
        flat = [part for pair in fields.items() for part in pair]
        await queue.connection.execute("HSET", queue.keys.of(job_id), *flat)


async def _schedulers(queue: Queue[Any]) -> None:
    await queue.upsert_job_scheduler(
        "nightly",
        {"pattern": "0 3 * * *", "tz": "Europe/Paris", "limit": 900},
        {"name": "night", "data": {"deep": [1]}},
    )
    await queue.upsert_job_scheduler("every:hour", {"every": 3_600_000, "start_date": 4_000_000_000_000})
    # It has run twice, an hour ago the last time, and that job is still there.
    keys, execute = queue.keys, queue.connection.execute
    await execute("HSET", keys.scheduler("every:hour"), "ic", 3)
    await execute("HSET", keys.of("repeat:every:hour:3999996400000"), "name", "every:hour", "timestamp", AT_MS)
    await queue.upsert_job_scheduler(
        "hourly", {"every": 86_400_000 * 300, "end_date": 4_000_000_000_000}, {"opts": {"attempts": 4, "priority": 2}}
    )
