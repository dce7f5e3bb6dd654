"""Queues with jobs that failed, for the pages that show them."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import Job, Queue
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.bullmq.hand_worker import HandWorker


async def fail(queue: Queue[Any], reason: str, *, name: str = "send", data: Any = None, **options: Any) -> Job[Any]:
    """A job that has failed for that reason."""
    await queue.wait_until_ready()
    job = await queue.add(name, data, **options)
    hand = HandWorker(queue)
    assert await hand.take() == job.id
    await hand.fail(reason)
    return job


class WriteCounter(PipelinedConnection):
    """Counts what leaves."""

    writes = 0

    def flush(self) -> None:
        self.writes += bool(self._outgoing)
        super().flush()
