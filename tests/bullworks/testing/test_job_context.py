"""The job of the running code, by context: whatever is called for it has it, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import pytest

from bullworks.bullmq import Job, JobSpec
from bullworks.core import Inject, Lazy, RequestError, Scope
from bullworks.testing import QueueHarness, Test, TestingModule
from bullworks.workers import JOB, BullModule, NoJobError, WorkerHost, processor

NOWHERE = "redis://127.0.0.1:1/0"


class Audit:
    """A singleton, which asks for the job when it needs it."""

    def __init__(self, job: Annotated[Lazy[Job], Inject(JOB)]) -> None:
        self._job = job

    async def job_id(self) -> str:
        await asyncio.sleep(0)
        return self._job().id


@processor("email", concurrency=3, scope=Scope.REQUEST)
class AuditedWorker(WorkerHost):
    def __init__(self, audit: Audit, job: Annotated[Job, Inject(JOB)]) -> None:
        self.audit, self.job = audit, job

    async def process(self, job: Job) -> Any:
        assert self.job is job
        return await WAYS[job.name](self.audit)


async def _in_a_timeout(audit: Audit) -> str:
    async with asyncio.timeout(5):
        return await audit.job_id()


async def _in_a_group(audit: Audit) -> str:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(audit.job_id())
    return task.result()


async def _gathered(audit: Audit) -> str:
    one, two = await asyncio.gather(audit.job_id(), audit.job_id())
    assert one == two
    return one


async def _in_a_thread(audit: Audit) -> str:
    return await asyncio.to_thread(lambda: audit._job().id)


WAYS: dict[str, Callable[[Audit], Awaitable[Any]]] = {
    "awaited": lambda audit: audit.job_id(),
    "timeout": _in_a_timeout,
    "wait_for": lambda audit: asyncio.wait_for(audit.job_id(), 5),
    "shield": lambda audit: asyncio.shield(audit.job_id()),
    "task": lambda audit: asyncio.ensure_future(audit.job_id()),
    "group": _in_a_group,
    "gather": _gathered,
    "thread": _in_a_thread,
}


@pytest.fixture
async def harness() -> QueueHarness[Any]:
    return QueueHarness("email")


@pytest.fixture
async def ref(harness: QueueHarness[Any]) -> TestingModule:
    root = BullModule.for_root(connection=NOWHERE, queues=("email",), providers=[AuditedWorker, Audit])
    return await Test.create_testing_module(imports=[root]).use_harness(harness).compile()


async def test_every_way_of_calling_has_the_job_also_where_jobs_run_side_by_side(
    ref: TestingModule, harness: QueueHarness[Any]
) -> None:
    await harness.queue.add_bulk([JobSpec(way) for way in WAYS for _ in range(2)])
    await harness.drain()
    assert harness.errors == []
    assert [job.returnvalue for job in harness.jobs] == [job.id for job in harness.jobs]


async def test_a_task_that_outlives_its_job_is_told_so(
    ref: TestingModule, harness: QueueHarness[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[asyncio.Task[Any]] = []
    may_look = asyncio.Event()

    async def late(audit: Audit) -> str:
        await may_look.wait()
        return await audit.job_id()

    async def leaving(audit: Audit) -> None:
        left.append(asyncio.create_task(late(audit)))

    monkeypatch.setitem(WAYS, "leaves a task", leaving)
    await harness.add("leaves a task")
    await harness.drain()
    may_look.set()
    with pytest.raises(RequestError, match="has ended"):
        await left[0]


async def test_where_no_job_runs_asking_for_it_is_an_error(ref: TestingModule) -> None:
    with pytest.raises(NoJobError, match="JOB is the job of a REQUEST-scoped processor"):
        await ref.get(Audit).job_id()


async def test_a_test_may_give_a_job_for_a_while(ref: TestingModule) -> None:
    async with ref.request({JOB: Job.stub(id="mine")}):
        assert await ref.get(Audit).job_id() == "mine"
        assert await asyncio.wait_for(ref.get(Audit).job_id(), 5) == "mine"
    with pytest.raises(NoJobError):
        await ref.get(Audit).job_id()


@pytest.fixture
async def job_of_a_fixture(ref: TestingModule) -> AsyncIterator[Job]:
    """A request that a fixture opens, and closes in whatever context it is left in."""
    job: Job = Job.stub(id="of a fixture")
    async with ref.request({JOB: job}):
        assert await ref.get(Audit).job_id() == "of a fixture"
        yield job


async def test_the_job_of_a_fixture_is_the_tests_too(ref: TestingModule, job_of_a_fixture: Job) -> None:
    """Since pytest-asyncio 0.25 fixtures and their test share a context."""
    assert await ref.get(Audit).job_id() == job_of_a_fixture.id


async def test_an_override_gives_every_consumer_a_stub(harness: QueueHarness[Any]) -> None:
    builder = Test.create_testing_module(imports=[BullModule.for_root(connection=NOWHERE)], providers=[Audit])
    ref = await builder.override_provider(JOB).use_value(Job.stub(id="stub")).compile()
    assert await ref.get(Audit).job_id() == "stub"
