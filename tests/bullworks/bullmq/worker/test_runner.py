"""The moment between a job's being handed to an idle slot and the slot's waking up."""

import asyncio
from typing import Any, cast

import pytest

from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome, OutcomeRules
from bullworks.bullmq.worker.job_sink import AttemptSink
from bullworks.bullmq.worker.runner import Runner
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.bullmq.worker.supervisor import Supervisor


class Running(AttemptSink):
    """A runner of one slot, which is idle, and what it tells."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.reported: list[tuple[str, str]] = []
        self.slots_freed = 0
        self.runner = Runner(
            self._process,
            OutcomeRules(),
            self,
            ScheduleKeeper(cast(Any, None), "work"),  # none of these jobs has a scheduler
            concurrency=1,
            timeout_ms=None,
            supervisor=Supervisor("work", lambda error: None),
        )

    async def until_idle(self) -> None:
        self.runner.run(Job.stub(id="first"))
        await self.runner.wait_quiet()
        while not self.runner._idle:
            await asyncio.sleep(0)
        self.begun.clear()
        self.reported.clear()
        self.slots_freed = 0

    async def _process(self, job: Job) -> None:
        self.begun.append(job.id)
        await asyncio.sleep(0)

    def started(self, job: Job) -> None:
        """The handler tells that it has begun."""

    def ended(self, outcome: Outcome) -> None:
        self.reported.append((outcome.job.id, outcome.kind))

    def moved(self, job: Job) -> None:
        """No handler moves its job."""

    def freed(self, job: Job) -> None:
        self.slots_freed += 1


@pytest.fixture
async def running() -> Any:
    running = Running()
    await running.until_idle()
    yield running
    await running.runner.close()


async def test_a_job_just_handed_over_is_waited_for(running: Running):
    """A worker that closes at that moment would let go of its connections before the outcome was stored."""
    running.runner.run(Job.stub(id="late"))
    assert [job.id for job in running.runner.running] == ["late"]
    async with asyncio.timeout(5):
        await running.runner.wait_quiet()
    assert running.reported == [("late", "complete")]
    assert (running.begun, running.slots_freed) == (["late"], 1)


async def test_a_job_just_handed_over_is_released_unstarted(running: Running):
    running.runner.run(Job.stub(id="late"))
    async with asyncio.timeout(5):
        assert await running.runner.hand_back(1.0) == 1
    assert running.reported == [("late", "release")]
    assert (running.begun, running.slots_freed) == ([], 1)


async def test_a_job_just_handed_over_cannot_be_cancelled_yet(running: Running):
    running.runner.run(Job.stub(id="late"))
    assert running.runner.cancel("late", "enough") is False
    async with asyncio.timeout(5):
        await running.runner.wait_quiet()
    assert running.reported == [("late", "complete")]
