"""A processor with `batch=`: what stands around each job of a batch, on a harness; and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from bullworks.bullmq import Batch, InvalidOptionError, Job, SyncJob, UnrecoverableError
from bullworks.core import Scope, create_application, module
from bullworks.testing import QueueHarness
from bullworks.workers import (
    BullModule,
    CallHandler,
    Complete,
    GuardRefusedError,
    HostScopeError,
    JobContext,
    ProcessorClassError,
    WorkerHost,
    catch,
    on_worker_event,
    process,
    processor,
    use_filters,
    use_guards,
    use_interceptors,
    use_pipes,
)


class Row(BaseModel):
    n: int


@processor("rows", batch=Batch(size=3))
class RowWorker(WorkerHost[Row, int]):
    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.completed: list[str] = []

    async def process(self, jobs: list[Job[Row, int]]) -> list[int | Exception]:
        self.calls.append([job.data.n for job in jobs])
        return [job.data.n * 10 if job.data.n else ValueError("zero") for job in jobs]

    @on_worker_event("completed")
    def on_completed(self, job: Job[Row, int]) -> None:
        self.completed.append(job.id)


async def returned(harness: QueueHarness[Any]) -> list[Any]:
    return [job.returnvalue if job.finished_on else None for job in harness.jobs]


async def test_a_harness_runs_batches_of_what_is_due() -> None:
    host = RowWorker()
    async with QueueHarness("rows", host) as harness:
        for n in (4, 3, 0, 2):
            await harness.add("row", Row(n=n), attempts=2, backoff=1_000)
        with pytest.raises(Exception, match="n"):
            await harness.add("row", {"n": "no number"})
        await harness.drain()
        assert host.calls == [[4, 3, 0], [2]]
        assert await returned(harness) == [40, 30, None, 20]
        assert [str(error) for error in harness.errors] == ["zero"]
        await harness.advance(1_000)
        assert host.calls[2:] == [[0]]
        assert harness.counts == {"completed": 3, "failed": 1}
        assert host.completed == [job.id for job in harness.jobs_in("completed")]


async def test_a_plain_method_gets_sync_jobs_and_many_batches_may_run_at_once() -> None:
    @processor("rows", batch=Batch(size=2), concurrency=2)
    class InThread(WorkerHost):
        def process(self, jobs: list[SyncJob]) -> list[int]:
            return [len(jobs)] * len(jobs)

    async with QueueHarness("rows", InThread()) as harness:
        for n in range(5):
            await harness.add("row", {"n": n})
        await harness.drain()
        assert await returned(harness) == [2, 2, 2, 2, 1]


class NotTwo:
    def can_activate(self, context: JobContext) -> bool:
        return context.job.data["n"] != 2


class Twice:
    """Runs the handler once more where it fails: the job takes part in another batch."""

    async def intercept(self, context: JobContext, following: CallHandler) -> Any:
        try:
            return await following.handle()
        except ValueError:
            return await following.handle()


class PlusHundred:
    def transform(self, value: Any, context: JobContext) -> Any:
        return {"n": value["n"] + 100}


@catch(KeyError)
class Lenient:
    async def catch(self, error: KeyError, context: JobContext) -> Complete:
        return Complete(f"had no {error}")


@use_guards(NotTwo)
@use_interceptors(Twice)
@use_pipes(PlusHundred)
@use_filters(Lenient)
@processor("rows", batch=Batch(size=4))
class Enhanced(WorkerHost):
    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    async def process(self, jobs: list[Job]) -> list[Any]:
        self.calls.append([job.data["n"] for job in jobs])
        outcomes: dict[int, Any] = {101: ValueError("again"), 103: KeyError("row")}
        return [outcomes.get(job.data["n"], "done") if len(self.calls) == 1 else "second" for job in jobs]


async def test_what_stands_around_jobs_stands_around_each_of_a_batch() -> None:
    host = Enhanced()
    async with QueueHarness("rows", host) as harness:
        for n in range(5):
            await harness.add("row", {"n": n})
        await harness.drain()
        assert host.calls == [[100, 101, 103, 104], [101]]
        assert await returned(harness) == ["done", "second", None, "had no 'row'", "done"]
        assert [type(error) for error in harness.errors] == [GuardRefusedError]
        assert [job.data["n"] for job in harness.jobs_in("failed")] == [2]


async def test_a_job_that_is_cancelled_on_a_harness_leaves_its_batch() -> None:
    async def handle(jobs: list[Job]) -> None:
        await harness.queue.cancel(jobs[0].id, "enough")

    harness = QueueHarness("rows", handle, batch=Batch(size=2))
    async with harness:
        for n in range(2):
            await harness.add("row", {"n": n})
        await harness.drain()
        assert harness.counts == {"failed": 1, "completed": 1}


def of_names() -> None:
    @processor("rows", batch=Batch(size=2))
    class Named(WorkerHost):
        @process("row")
        async def row(self, jobs: list[Job]) -> None: ...


def of_processes() -> None:
    @processor("rows", batch=Batch(size=2), process_pool=2)
    class Pooled(WorkerHost):
        async def process(self, jobs: list[Job]) -> None: ...


def of_no_batch() -> None:
    @processor("rows", batch={"size": 2})  # type: ignore[arg-type]
    class Plain(WorkerHost):
        async def process(self, jobs: list[Job]) -> None: ...


@pytest.mark.parametrize(
    ("declare", "kind", "problem"),
    [
        (of_names, ProcessorClassError, "a batch has one handler: write `process`, and look at job.name in it"),
        (of_processes, InvalidOptionError, "batch: does not go with process_pool="),
        (of_no_batch, InvalidOptionError, "batch: must be a Batch, as in batch=Batch(size=100), not {'size': 2}"),
    ],
)
def test_what_cannot_have_batches_is_refused_where_it_is_declared(
    declare: Callable[[], None], kind: type[Exception], problem: str
) -> None:
    with pytest.raises(kind) as refused:
        declare()
    assert problem in str(refused.value)


async def test_a_processor_that_is_made_for_each_job_is_refused_at_the_start(redis_url: str) -> None:
    @processor("rows", batch=Batch(size=2), scope=Scope.REQUEST)
    class PerJob(WorkerHost):
        async def process(self, jobs: list[Job]) -> None: ...

    @module(imports=[BullModule.for_root(connection=redis_url), BullModule.register_queue("rows")], providers=[PerJob])
    class AppModule: ...

    with pytest.raises(HostScopeError, match="which makes an instance for each job; with batch= one call has many"):
        async with create_application(AppModule):
            pass


async def test_a_handler_of_one_job_is_refused_before_any_comes() -> None:
    @processor("rows", batch=Batch(size=2))
    class OfOne(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with QueueHarness("rows", OfOne()) as harness:
        await harness.add("row", {})
        with pytest.raises(InvalidOptionError, match=r"OfOne.process\(job: .*Job\) -> None takes one job; with batch="):
            await harness.drain()


async def test_a_mistake_of_the_handler_fails_all_its_jobs() -> None:
    async def handle(jobs: list[Job]) -> list[Any]:
        raise UnrecoverableError(f"{len(jobs)} rows")

    async with QueueHarness("rows", handle, batch=Batch(size=5)) as harness:
        for n in range(3):
            await harness.add("row", {"n": n}, attempts=3)
        await harness.drain()
        assert [job.failed_reason for job in harness.jobs] == ["3 rows"] * 3
