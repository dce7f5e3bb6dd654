"""A bench whose handlers note what runs beside what."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bullworks.bullmq import Job, JobSpec
from tests.bullworks.bullmq.worker.conftest import Bench


class GroupBench(Bench):
    """The queue `work`, and a handler that takes a moment.

    Attributes:
        started: ids in the order in which their handlers began.
        most: of each group the most jobs that ran at once.
    """

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self.started: list[str] = []
        self.most: Counter[str] = Counter()
        self._running: Counter[str] = Counter()

    async def handle(self, job: Job) -> None:
        group = job.group or ""
        self.started.append(job.id)
        self._running[group] += 1
        self.most[group] = max(self.most[group], self._running[group])
        try:
            await asyncio.sleep(0.002)
            if job.attempts_started <= job.data.get("failures", 0):
                raise ValueError("on purpose")
        finally:
            self._running[group] -= 1

    async def add(self, group: str, count: int, **data: int) -> list[str]:
        """Adds so many jobs of a group. Returns their ids."""
        specs = [JobSpec("work", data, group={"id": group}, attempts=3, backoff=30) for _ in range(count)]
        return [job.id for job in await self.queue.add_bulk(specs)]

    async def group_keys(self) -> list[str]:
        """What lies in Redis about groups."""
        found = await self.command("KEYS", self.key("bw:*"))
        return sorted(key.decode().removeprefix(self.key("")) for key in found)


@pytest.fixture
async def bench(redis_url: str, key_prefix: str) -> AsyncIterator[GroupBench]:
    bench = GroupBench(redis_url, key_prefix)
    yield bench
    await bench.close()
