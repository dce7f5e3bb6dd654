"""A producer and a worker by hand on one queue, on the shared server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq.flow_producer import FlowProducer
from tests.bullworks.bullmq.worker.conftest import Bench


class FlowBench(Bench):
    """The queue `work`, and a FlowProducer over the same connection."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self.flows = FlowProducer(connection=self.queue.connection, prefix=prefix)

    async def members(self, suffix: str) -> set[str]:
        """A set's members, less the queue's own part of their keys."""
        members = await self.command("SMEMBERS", self.key(suffix))
        return {member.decode().rpartition(":")[2] for member in members}


@pytest.fixture
async def bench(redis_url: str, key_prefix: str) -> AsyncIterator[FlowBench]:
    bench = FlowBench(redis_url, key_prefix)
    yield bench
    await bench.close()


def job(name: str, *children: dict[str, Any], queue_name: str = "work", **opts: Any) -> Any:
    """A job of a flow whose id is its name."""
    return {"name": name, "queue_name": queue_name, "opts": {"job_id": name, **opts}, "children": list(children)}
