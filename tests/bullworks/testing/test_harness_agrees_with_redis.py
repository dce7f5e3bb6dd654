"""The harness cannot drift: each scenario is played on it and on a real worker, and leaves the same behind."""

import time
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.bullmq.wire.event_codec import read_entry
from bullworks.testing import QueueHarness, eventually
from tests.bullworks.testing.scenarios import SCENARIOS, Scenario, Side

# Times differ, and when a queue runs dry depends on how many jobs share a trip.
_TIMES = {"delay"}
_UNTOLD = {"drained"}


class HarnessSide:
    """The harness."""

    def __init__(self, scenario: Scenario) -> None:
        self.started: list[str] = []
        self.harness: QueueHarness[Any] = QueueHarness("email", scenario.handler(self), **scenario.options)
        self.queue = self.harness.queue

    async def settle(self) -> None:
        await self.harness.drain_all()

    def now_ms(self) -> int:
        return self.harness.now_ms

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(event.name, event.args) for event in self.harness.events]

    async def ids(self) -> set[str]:
        return {job.id for job in self.harness.jobs}


class RedisSide:
    """A worker on the real server."""

    def __init__(self, scenario: Scenario, url: str, prefix: str) -> None:
        self.started: list[str] = []
        self.queue: Queue[Any] = Queue("email", connection=url, prefix=prefix)
        self._scenario, self._url, self._prefix = scenario, url, prefix

    async def settle(self) -> None:
        processor, options = self._scenario.handler(self), self._scenario.options
        async with Worker("email", processor, connection=self._url, prefix=self._prefix, **options):
            await eventually(self._is_done, what="no job is left to run")

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        entries = await self.queue.connection.execute("XRANGE", self.queue.keys.of("events"), "-", "+")
        events = [read_entry(entry) for entry in entries]
        return [(str(event.name), event.args()) for event in events]

    async def ids(self) -> set[str]:
        return {args["job_id"] for _, args in await self.events() if "job_id" in args}

    async def _is_done(self) -> bool:
        counts = await self.queue.get_job_counts("waiting", "active", "delayed", "prioritized")
        return sum(counts.values()) == 0


async def left_behind(side: Side) -> dict[str, Any]:
    """What there is to be compared: by job, and the order of starts."""
    assert isinstance(side, HarnessSide | RedisSide)
    told: dict[str, list[Any]] = {}
    for name, args in await side.events():
        if name not in _UNTOLD:
            rest = {key: value for key, value in args.items() if key not in _TIMES | {"job_id"}}
            told.setdefault(args.get("job_id", ""), []).append((name, rest))
    jobs = {job_id: await side.queue.get_job(job_id) for job_id in sorted(await side.ids())}
    return {
        "started": side.started,
        "counts": await side.queue.get_job_counts(),
        "events": told,
        "jobs": {job_id: None if job is None else await _seen(job) for job_id, job in jobs.items()},
        "kept": sorted(job.id for job in await side.queue.get_jobs(["completed", "failed"])),
    }


async def _seen(job: Job) -> dict[str, Any]:
    assert job.processed_on is not None or job.is_cancelled
    assert job.finished_on is not None
    return {
        "name": job.name,
        "data": job.data,
        "opts": job.opts,
        "state": await job.get_state(),
        "made": job.attempts_made,
        "started": job.attempts_started,
        "priority": None if job.group else job.priority,  # turns are counted from when the line was last empty
        "delay": job.delay,
        "progress": job.progress,
        "returnvalue": job.returnvalue,
        "reason": job.failed_reason,
        "traces": len(job.stacktrace),
        "logs": await job.logs(),
        "deduplication": job.deduplication_id,
    }


@pytest.mark.parametrize("name", SCENARIOS)
async def test_both_leave_the_same_behind(name: str, redis_url: str, key_prefix: str) -> None:
    scenario = SCENARIOS[name]
    in_memory, in_redis = HarnessSide(scenario), RedisSide(scenario, redis_url, key_prefix)
    async with in_redis.queue:
        await scenario.play(in_memory)
        await scenario.play(in_redis)
        assert await left_behind(in_memory) == await left_behind(in_redis)
