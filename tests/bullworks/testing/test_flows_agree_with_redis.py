"""Flows cannot drift either: each is played on harnesses and on real workers, and leaves the same behind."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, Job, Queue, Worker
from bullworks.bullmq.wire.event_codec import read_entry
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.testing import HarnessFlowProducer, HarnessGroup, QueueHarness, eventually
from tests.bullworks.testing.flow_scenarios import FLOW_SCENARIOS, QUEUES, FlowSide, family_of, handler_of

# Times differ, and when a queue runs dry depends on how many jobs share a trip.
_TIMES = {"delay"}
_UNTOLD = {"drained"}
_TO_RUN = ("waiting", "active", "delayed", "prioritized")


class HarnessSide:
    """Harnesses."""

    prefix = "bull"

    def __init__(self) -> None:
        self.started: dict[str, list[str]] = {name: [] for name in QUEUES}
        self.seen: list[Any] = []
        self.harnesses = {name: QueueHarness[Any](name, handler_of(self, name)) for name in QUEUES}
        self.queues = {name: harness.queue for name, harness in self.harnesses.items()}
        self.flows: FlowProducer = HarnessFlowProducer(*self.harnesses.values())

    async def settle(self) -> None:
        await HarnessGroup(*self.harnesses.values()).drain_all()

    async def events(self, queue: Queue[Any]) -> list[tuple[str, dict[str, Any]]]:
        return [(event.name, event.args) for event in self.harnesses[queue.name].events]


class RedisSide:
    """Workers on the real server."""

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix = prefix
        self.started: dict[str, list[str]] = {name: [] for name in QUEUES}
        self.seen: list[Any] = []
        self.connection = connection_to(Endpoint.of(url))
        self.queues = {name: Queue[Any](name, connection=self.connection, prefix=prefix) for name in QUEUES}
        self.flows = FlowProducer(connection=self.connection, prefix=prefix)
        self._url = url

    async def settle(self) -> None:
        async with AsyncExitStack() as stack:
            for name in QUEUES:
                worker = Worker(name, handler_of(self, name), connection=self._url, prefix=self.prefix)
                await stack.enter_async_context(worker)
            await eventually(self._is_done, what="no job is left to run")

    async def events(self, queue: Queue[Any]) -> list[tuple[str, dict[str, Any]]]:
        entries = await queue.connection.execute("XRANGE", queue.keys.of("events"), "-", "+")
        events = [read_entry(entry) for entry in entries]
        return [(str(event.name), event.args()) for event in events]

    async def _is_done(self) -> bool:
        # over one connection, in one write: Redis looks at all queues at one moment
        counts = await asyncio.gather(*(queue.get_job_counts(*_TO_RUN) for queue in self.queues.values()))
        return not any(sum(count.values()) for count in counts)


async def left_behind(side: FlowSide) -> dict[str, Any]:
    """What there is to be compared, of each queue, by job; keys with the prefix of a harness."""
    assert isinstance(side, HarnessSide | RedisSide)
    found = {name: await _left_in(side, queue) for name, queue in side.queues.items()}
    everything = {"started": side.started, "seen": side.seen, "queues": found}
    plain: dict[str, Any] = json.loads(json.dumps(everything, sort_keys=True).replace(f"{side.prefix}:", "bull:"))
    return plain


async def _left_in(side: "HarnessSide | RedisSide", queue: Queue[Any]) -> dict[str, Any]:
    events: dict[str, list[Any]] = {}
    for name, args in await side.events(queue):
        if name not in _UNTOLD:
            rest = {key: value for key, value in args.items() if key not in _TIMES | {"job_id"}}
            events.setdefault(args.get("job_id", ""), []).append([name, rest])
    jobs = {job_id: await queue.get_job(job_id) for job_id in events if job_id}
    return {
        "counts": await queue.get_job_counts(),
        "events": events,
        "jobs": {job_id: None if job is None else await _seen(job) for job_id, job in jobs.items()},
    }


async def _seen(job: Job) -> dict[str, Any]:
    return {
        "name": job.name,
        "data": job.data,
        "state": await job.get_state(),
        "made": job.attempts_made,
        "started": job.attempts_started,
        "priority": job.priority,
        "delay": job.delay,
        "returnvalue": job.returnvalue,
        "reason": job.failed_reason,
        "deferred": job.deferred_failure,
        "parent": job.parent_key,
        "finished": job.finished_on is not None,
        "family": await family_of(job),
    }


@pytest.mark.parametrize("name", FLOW_SCENARIOS)
async def test_both_leave_the_same_behind(name: str, redis_url: str, key_prefix: str) -> None:
    play = FLOW_SCENARIOS[name]
    in_memory, in_redis = HarnessSide(), RedisSide(redis_url, key_prefix)
    try:
        await play(in_memory)
        await play(in_redis)
        assert await left_behind(in_memory) == await left_behind(in_redis)
    finally:
        for queue in in_redis.queues.values():
            await queue.close()
        await in_redis.flows.close()
        await in_redis.connection.close()
