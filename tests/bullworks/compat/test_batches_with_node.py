"""Batches beside unmodified npm bullmq: to its producers, workers and listeners each job is an ordinary one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bullworks.bullmq import JobSpec
from tests.bullworks.compat.fleet import Fleet
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually


@pytest.fixture
async def fleet(node: Node, redis_url: str, key_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Fleet(LineProcess(node, "fleet.mjs", tmp_path / "fleet.log"), redis_url, key_prefix) as fleet:
        yield fleet


async def test_a_mixed_fleet_runs_each_job_once_and_all_hear_of_it(fleet: Fleet) -> None:
    """Given retries, priorities, and producers of both sides."""
    queue = await fleet.queue("rows")
    await fleet.listen("rows", "completed")
    await fleet.node("work", name="node", queue="rows", concurrency=3)
    await fleet.work_in_batches("rows", name="python", size=20)
    ours = [
        JobSpec("p", {"n": n, "failures": n % 9 == 0}, job_id=f"p{n}", priority=n % 3, attempts=2) for n in range(300)
    ]
    theirs = [{"name": "n", "data": {"n": n}, "opts": {"jobId": f"n{n}"}} for n in range(100)]
    await queue.add_bulk(ours)
    await fleet.node("add", queue="rows", jobs=theirs)
    await fleet.until_ended("rows", 400)
    expected = {f"rows:p{n}": 1 + (n % 9 == 0) for n in range(300)} | {f"rows:n{n}": 1 for n in range(100)}
    assert await fleet.runs() == expected
    assert (await fleet.runs_by_side()).keys() == {"node", "python"}
    assert 1 < max(fleet.batches) <= 20
    await eventually(lambda: len(fleet.heard["completed"]) == 400, what="400 events")
    assert Counter(fleet.heard["completed"]) == Counter(await fleet.node("heard", event="completed"))
