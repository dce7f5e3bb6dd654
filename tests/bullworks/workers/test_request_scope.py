"""REQUEST-scoped processors: an instance for each job, which has its job injected and is closed after it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest

from bullworks.bullmq import CancelSignal, Job, JobSpec, SyncJob
from bullworks.core import Inject, Lazy, Scope, create_application, injectable, provide
from bullworks.workers import (
    JOB,
    HostScopeError,
    NoJobError,
    ProcessPoolError,
    QueueEventsHost,
    RequestEventsError,
    WorkerHost,
    on_worker_event,
    process,
    processor,
    queue_events_listener,
)
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import finished


class Notes(list[Any]):
    """What happened."""


CurrentJob = Annotated[Job, Inject(JOB)]


@injectable(scope=Scope.REQUEST)
class Tenant:
    def __init__(self, job: CurrentJob, notes: Notes) -> None:
        self.job, self.notes = job, notes

    def on_module_destroy(self) -> None:
        self.notes.append(f"closed for {self.job.data}")


class Repo:
    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant


@processor("email", concurrency=5)
class TenantWorker(WorkerHost):
    """REQUEST-scoped because its Repo is, because its Tenant is."""

    def __init__(self, repo: Repo, tenant: Tenant, notes: Notes) -> None:
        self.repo, self.tenant = repo, tenant
        notes.append(self)

    async def process(self, job: Job) -> Any:
        assert self.repo.tenant is self.tenant
        assert self.worker.concurrency == 5
        assert self.tenant.job is job
        return f"for {job.data}"


async def test_each_job_has_an_instance_of_its_own_with_the_job_injected_and_it_is_closed_afterwards(run: Any) -> None:
    async with run(TenantWorker, Tenant, Repo, Notes) as app:
        jobs = [await queue_of(app).add("x", name) for name in ("acme", "globex")]
        assert [(await finished(job)).returnvalue for job in jobs] == ["for acme", "for globex"]
        notes = app.get(Notes)
        instances = [note for note in notes if isinstance(note, TenantWorker)]
        assert len(set(instances)) == 2
    assert sorted(note for note in notes if isinstance(note, str)) == ["closed for acme", "closed for globex"]


async def test_the_decorator_says_it_too(run: Any) -> None:
    @processor("email", scope=Scope.REQUEST)
    class Counting(WorkerHost):
        def __init__(self) -> None:
            self.jobs = 0

        async def process(self, job: Job) -> int:
            self.jobs += 1
            return self.jobs

    async with run(Counting) as app:
        for _ in range(2):
            assert (await finished(await queue_of(app).add("x"))).returnvalue == 1


async def test_a_plain_process_runs_in_a_thread_and_gets_its_sync_job_injected(run: Any) -> None:
    threads = []

    @processor("email", scope=Scope.REQUEST)
    class Sync(WorkerHost):
        def __init__(self, tenant: Tenant) -> None:
            self.tenant = tenant
            threads.append(threading.current_thread())

        def process(self, job: SyncJob) -> str:
            threads.append(threading.current_thread())
            assert self.tenant.job is job
            job.update_progress(50)
            return f"for {job.data}"

    async with run(Sync, Tenant, Notes) as app:
        job = await finished(await queue_of(app).add("x", "acme"))
        assert (job.returnvalue, job.progress) == ("for acme", 50)
        assert app.get(Notes) == ["closed for acme"]
    built_in, ran_in = threads
    assert built_in is threading.main_thread() is not ran_in


async def test_methods_by_job_name_of_both_kinds_may_take_the_signal(run: Any) -> None:
    @processor("email", scope=Scope.REQUEST)
    class Named(WorkerHost):
        @process("async")
        async def in_loop(self, job: Job, signal: CancelSignal) -> str:
            return f"{job.name} {signal.aborted}"

        @process("sync")
        def in_thread(self, job: SyncJob, signal: CancelSignal) -> str:
            return f"{job.name} {signal.aborted}"

        @staticmethod
        @process("static")
        async def without_instance(job: Job) -> str:
            return job.name

    async with run(Named) as app:
        queue = queue_of(app)
        results = [(await finished(await queue.add(name))).returnvalue for name in ("async", "sync", "static")]
        assert results == ["async False", "sync False", "static"]
        unknown = await finished(await queue.add("other"))
        assert unknown.failed_reason == "no handler for jobs named 'other'; there are: async, static, sync"


def transaction(notes: Notes) -> Iterator[str]:
    try:
        yield "transaction"
    except Exception as error:
        notes.append(f"rolled back: {error}")
        raise
    notes.append("committed")


TRANSACTION = provide("transaction", use_factory=transaction, scope=Scope.REQUEST)


async def test_a_transaction_commits_when_the_job_succeeds_and_rolls_back_when_it_fails(run: Any) -> None:
    @processor("email")
    class Transacting(WorkerHost):
        def __init__(self, transaction: Annotated[str, Inject("transaction")]) -> None: ...

        async def process(self, job: Job) -> None:
            if job.data:
                raise ValueError(job.data)

    async with run(Transacting, TRANSACTION, Notes) as app:
        await finished(await queue_of(app).add("x"))
        failed = await finished(await queue_of(app).add("x", "no such user"))
        assert failed.failed_reason == "no such user"
        assert app.get(Notes) == ["committed", "rolled back: no such user"]


async def test_in_a_thread_too(run: Any) -> None:
    @processor("email")
    class Transacting(WorkerHost):
        def __init__(self, transaction: Annotated[str, Inject("transaction")]) -> None: ...

        def process(self, job: SyncJob) -> None:
            raise ValueError(job.data)

    async with run(Transacting, TRANSACTION, Notes) as app:
        failed = await finished(await queue_of(app).add("x", "no such user"))
        assert failed.failed_reason == "no such user"
        assert app.get(Notes) == ["rolled back: no such user"]


async def test_a_job_whose_transaction_does_not_commit_has_failed(run: Any) -> None:
    async def stuck() -> AsyncIterator[str]:
        yield "transaction"
        raise OSError("connection lost")

    @processor("email")
    class Transacting(WorkerHost):
        def __init__(self, transaction: Annotated[str, Inject("transaction")]) -> None: ...

        async def process(self, job: Job) -> str:
            return "done"

    async with run(Transacting, provide("transaction", use_factory=stuck, scope=Scope.REQUEST)) as app:
        assert (await finished(await queue_of(app).add("x"))).failed_reason == "connection lost"


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_job_whose_instance_cannot_be_made_fails_and_what_was_opened_is_closed(run: Any, is_sync: bool) -> None:
    class Broken(WorkerHost):
        def __init__(self, tenant: Tenant) -> None:
            raise OSError("no route to host")

    async def process(self: Any, job: Job) -> None: ...

    def process_sync(self: Any, job: SyncJob) -> None: ...

    Broken.process = process_sync if is_sync else process  # type: ignore[attr-defined]
    async with run(processor("email")(Broken), Tenant, Notes) as app:
        failed = await finished(await queue_of(app).add("x", "acme"))
        assert failed.failed_reason == "no route to host"
        assert "while building Broken of BullModule" in failed.stacktrace[0]
        assert app.get(Notes) == ["closed for acme"]


async def test_a_job_that_times_out_is_closed_too(run: Any) -> None:
    @processor("email")
    class Slow(WorkerHost):
        def __init__(self, tenant: Tenant) -> None: ...

        async def process(self, job: Job) -> None:
            await asyncio.Event().wait()

    async with run(Slow, Tenant, Notes) as app:
        failed = await finished(await queue_of(app).add("x", "acme", timeout=50))
        assert "50 ms" in str(failed.failed_reason)
        assert app.get(Notes) == ["closed for acme"]


async def test_a_singleton_finds_the_job_of_the_moment_through_lazy(run: Any) -> None:
    class Auditor:
        def __init__(self, job: Annotated[Lazy[Job], Inject(JOB)]) -> None:
            self.job = job

    @processor("email", scope=Scope.REQUEST)
    class Audited(WorkerHost):
        def __init__(self, auditor: Auditor) -> None:
            self.auditor = auditor

        async def process(self, job: Job) -> bool:
            return self.auditor.job() is job

    async with run(Audited, Auditor) as app:
        assert (await finished(await queue_of(app).add("x"))).returnvalue is True
        with pytest.raises(NoJobError) as caught:
            app.get(Auditor).job()
    assert str(caught.value) == (
        "JOB is the job of a REQUEST-scoped processor, and no such job runs here; "
        "in a test: provide(JOB, use_value=Job.stub(...))"
    )


async def test_worker_events_of_a_request_scoped_processor_are_a_start_error(run: Any) -> None:
    @processor("email")
    class Listening(WorkerHost):
        def __init__(self, tenant: Tenant) -> None: ...

        async def process(self, job: Job) -> None: ...

        @on_worker_event("completed")
        def on_completed(self, job: Job) -> None: ...

    with pytest.raises(RequestEventsError) as caught:
        await run(Listening, Tenant, Notes)
    assert str(caught.value) == (
        "BullModule > Listening is REQUEST-scoped, itself or through something it needs: each job has its own "
        "instance, and worker events have none to go to. Move on_completed to a @queue_events_listener, "
        "or take what is REQUEST-scoped as Lazy[...]"
    )


async def test_a_process_pool_cannot_be_request_scoped(run: Any) -> None:
    @processor("email", scope=Scope.REQUEST, process_pool=2)
    class Pooled(WorkerHost):
        def process(self, job: SyncJob) -> None: ...

    with pytest.raises(ProcessPoolError) as caught:
        await run(Pooled)
    assert str(caught.value) == (
        "BullModule > Pooled has a process_pool, and is REQUEST-scoped, but its processes build one instance each; "
        "leave one of the two out"
    )


async def test_a_listener_cannot_be_request_scoped(run: Any) -> None:
    @queue_events_listener("email")
    class Listening(QueueEventsHost):
        def __init__(self, tenant: Tenant) -> None: ...

    with pytest.raises(HostScopeError) as caught:
        await run(Listening, Tenant, Notes)
    assert str(caught.value) == (
        "BullModule > Listening is REQUEST-scoped, itself or through something it needs; "
        "a listener is a singleton that is built at the start"
    )


async def test_in_a_unit_test_the_job_is_a_value(workers: Any) -> None:
    app = create_application(workers(TenantWorker, Tenant, Repo, Notes, queues=("email",)))
    job = Job.stub(data="acme")
    app.container.current_job.override(job)
    worker = await app.resolve(TenantWorker)
    assert worker.tenant.job is job


async def test_many_jobs_at_once_are_kept_apart(run: Any) -> None:
    @processor("email", concurrency=50)
    class Busy(WorkerHost):
        def __init__(self, tenant: Tenant) -> None:
            self.tenant = tenant

        async def process(self, job: Job) -> Any:
            for _ in range(3):
                await asyncio.sleep(0)
                assert self.tenant.job is job
            return self.tenant.job.data

    async with run(Busy, Tenant, Notes) as app:
        jobs = await queue_of(app).add_bulk([JobSpec("x", number) for number in range(200)])
        assert [(await finished(job)).returnvalue for job in jobs] == list(range(200))
        assert len(app.get(Notes)) == 200


async def test_a_job_that_is_handed_back_at_the_end_is_closed_too(run: Any) -> None:
    begun = asyncio.Event()

    @processor("email")
    class Endless(WorkerHost):
        def __init__(self, tenant: Tenant) -> None: ...

        async def process(self, job: Job) -> None:
            begun.set()
            await asyncio.Event().wait()

    app = run(Endless, Tenant, Notes, shutdown_grace=50)
    async with app:
        await queue_of(app).add("x", "acme")
        await asyncio.wait_for(begun.wait(), 5)
        notes = app.get(Notes)
    assert notes == ["closed for acme"]
