"""A hand that takes a scheduler's jobs as a worker does: with their successor stored before they run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue
from bullworks.bullmq.scripts.next_iteration import store_next_iteration
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


class Clockwork:
    """One queue's schedulers, moved by hand."""

    def __init__(self, queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
        self.queue = queue
        self.hand = hand
        self.keyspace = keyspace

    async def now_ms(self) -> int:
        """Redis's clock."""
        return await self.queue.scripts.now_ms()

    async def take_unkept(self) -> Job:
        """The next job, active, by a worker that dies before it stores the successor."""
        job_id = await self.hand.take()
        assert job_id is not None
        return await self.job(job_id)

    async def take(self) -> Job:
        """The next job, active, its successor stored."""
        job = await self.take_unkept()
        await store_next_iteration(self.queue.scripts, job)
        return job

    async def run(self) -> Job:
        """The next job, completed."""
        job = await self.take()
        await self.hand.complete()
        return job

    async def run_early(self, job_id: str) -> Job:
        """A delayed job, run ahead of its time."""
        await (await self.job(job_id)).promote()
        job = await self.run()
        assert job.id == job_id
        return job

    async def job(self, job_id: str) -> Job:
        job = await self.queue.get_job(job_id)
        assert job is not None, job_id
        return job

    async def pending(self, scheduler_id: str) -> list[str]:
        """The scheduler's jobs that still wait, wherever; there must be one at most."""
        found: list[str] = []
        for state in ("wait", "paused", "prioritized", "delayed"):
            found += await self.keyspace.ids(state)
        return [job_id for job_id in found if job_id.startswith(f"repeat:{scheduler_id}:")]

    async def due_ms(self, scheduler_id: str) -> int:
        """When the scheduler's one pending job is due; it is the one that `repeat` names."""
        (job_id,) = await self.pending(scheduler_id)
        scheduler = await self.queue.get_job_scheduler(scheduler_id)
        assert scheduler is not None
        assert job_id == f"repeat:{scheduler_id}:{scheduler.next}"
        return scheduler.next


@pytest.fixture
def clockwork(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> Clockwork:
    """The queue's schedulers."""
    return Clockwork(queue, hand, keyspace)


def options_of(fields: dict[str, str]) -> dict[str, Any]:
    """The `opts` of a hash."""
    options: dict[str, Any] = json.loads(fields["opts"])
    return options
