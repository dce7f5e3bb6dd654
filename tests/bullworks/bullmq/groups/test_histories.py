"""Whatever is done to groups while they are worked off, limits hold, each job ends, and nothing is left of them."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from bullworks.bullmq import GroupFullError, JobSpec
from bullworks.bullmq.flow_producer import FlowProducer
from tests.bullworks.bullmq.groups.conftest import GroupBench
from tests.bullworks.waiting import eventually

GROUPS = ["one", "ordered", "rated", "small", "free", "other"]
STEPS = 120


class History:
    """Random operations on groups, the same for the same seed."""

    def __init__(self, bench: GroupBench, flows: FlowProducer, seed: int) -> None:
        self._bench = bench
        self._queue = bench.queue
        self._flows = flows
        self._random = random.Random(seed)
        self.added: set[str] = set()
        self.removed: set[str] = set()

    async def step(self) -> None:
        """Do something."""
        operations = [self._add, self._add, self._add, self._pause, self._remove, self._look, self._add_flow]
        await self._random.choice(operations)(self._random.choice(GROUPS))

    async def _add(self, group: str) -> None:
        choice = self._random.choice
        specs = [
            JobSpec(
                "x",
                {"failures": choice([0, 0, 1])},
                group={"id": group, "weight": choice([1, 2, 0.5])},
                delay=choice([0, 0, 10]),
                attempts=2,
                backoff=choice([0, 5]),
            )
            for _ in range(choice([1, 5, 15]))
        ]
        try:
            self.added |= {job.id for job in await self._queue.add_bulk(specs)}
        except GroupFullError:
            assert group == "small"

    async def _pause(self, group: str) -> None:
        await self._queue.pause_group(group)
        await asyncio.sleep(0.005)
        await self._queue.resume_group(group)

    async def _remove(self, group: str) -> None:
        for job in (await self._queue.get_group_jobs(group, 0, 5))[-2:]:
            if await self._queue.remove(job.id):
                self.removed.add(job.id)

    async def _look(self, group: str) -> None:
        await self._queue.get_group_counts(group)
        await self._queue.promote_jobs()

    async def _add_flow(self, group: str) -> None:
        child = {"name": "c", "queue_name": "work", "opts": {"group": {"id": group}}}
        tree: Any = {"name": "p", "queue_name": "work", "opts": {"group": {"id": "free"}}, "children": [child, child]}
        try:
            node = await self._flows.add(tree)
        except GroupFullError:
            assert group == "small"
            return
        self.added |= {node.job.id, *(below.job.id for below in node.children)}


@pytest.mark.parametrize("seed", range(2))
async def test_limits_hold_and_nothing_is_left(bench: GroupBench, seed: int) -> None:
    queue = bench.queue
    await queue.set_group_limits("one", concurrency=1)
    await queue.set_group_limits("ordered", ordered=True)
    await queue.set_group_limits("rated", rate={"max": 20, "duration": 20})
    await queue.set_group_limits("small", max_size=30, concurrency=3)
    for _ in range(2):
        await bench.worker(bench.handle, concurrency=6).start()
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        history = History(bench, flows, seed)
        for _ in range(STEPS):
            await history.step()

    async def is_done() -> bool:
        await queue.promote_jobs()  # as time would
        counts = await queue.get_job_counts("waiting", "prioritized", "delayed", "active", "waiting-children")
        return not any(counts.values())

    await eventually(is_done, what=f"all jobs to end, seed {seed}")
    ended = set(await bench.ids("completed")) | set(await bench.ids("failed"))
    assert history.added - ended <= history.removed | children_of_removed(history)
    assert bench.most["one"] <= 1
    assert bench.most["ordered"] <= 1
    assert bench.most["small"] <= 3
    await eventually(lambda: _are_gone(bench), what="what is known of groups to go")


def children_of_removed(history: History) -> set[str]:
    """They go with their parent: ids of flows are long, those of other jobs numbers."""
    return {job_id for job_id in history.added if len(job_id) > 10} if history.removed else set()


async def _are_gone(bench: GroupBench) -> bool:
    return await bench.group_keys() == ["bw:limits"]
