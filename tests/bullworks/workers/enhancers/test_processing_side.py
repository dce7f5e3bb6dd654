"""Guards, interceptors, pipes and filters around the handlers of jobs."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from bullworks.bullmq import CancelSignal, Job, SyncJob, UnrecoverableError
from bullworks.core import Inject, Scope, injectable, provide
from bullworks.workers import (
    APP_FILTER,
    APP_GUARD,
    APP_INTERCEPTOR,
    APP_PIPE,
    JOB,
    CallHandler,
    Complete,
    Delay,
    JobContext,
    RateLimit,
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
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.enhancers.notes import Notes, NotingFilter, NotingGuard, NotingInterceptor, NotingPipe
from tests.bullworks.workers.test_processing import finished


class AppGuard(NotingGuard): ...


class ClassGuard(NotingGuard): ...


class MethodGuard(NotingGuard): ...


class AppInterceptor(NotingInterceptor): ...


class ClassInterceptor(NotingInterceptor): ...


class MethodInterceptor(NotingInterceptor): ...


class AppPipe(NotingPipe): ...


class ClassPipe(NotingPipe): ...


class MethodPipe(NotingPipe): ...


class AppFilter(NotingFilter): ...


class ClassFilter(NotingFilter): ...


@catch(ValueError)
class MethodFilter(NotingFilter): ...


@use_guards(ClassGuard)
@use_interceptors(ClassInterceptor)
@use_pipes(ClassPipe)
@use_filters(ClassFilter)
@processor("email")
class Enhanced(WorkerHost):
    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    @process("plain", "bad")
    @use_guards(MethodGuard)
    @use_interceptors(MethodInterceptor)
    @use_pipes(MethodPipe)
    @use_filters(MethodFilter)
    async def plain(self, job: Job) -> Any:
        self.notes.append("handler")
        if job.name == "bad":
            raise KeyError(job.data)
        return job.data

    @process("other")
    async def other(self, job: Job) -> Any:
        return job.data


FOR_ALL = [
    provide(APP_GUARD, use_class=AppGuard),
    provide(APP_INTERCEPTOR, use_class=AppInterceptor),
    provide(APP_PIPE, use_class=AppPipe),
    provide(APP_FILTER, use_class=AppFilter),
]
BEFORE = [
    "AppGuard guards",
    "ClassGuard guards",
    "MethodGuard guards",
    "AppInterceptor before",
    "ClassInterceptor before",
    "MethodInterceptor before",
    "AppPipe pipes",
    "ClassPipe pipes",
    "MethodPipe pipes",
    "handler",
]


async def test_their_order_is_that_of_nestjs_and_the_data_in_redis_stays(run: Any) -> None:
    """Global, class, method; interceptors back in reverse; pipes change what the handler sees."""
    async with run(Enhanced, Notes, *FOR_ALL) as app:
        job = await queue_of(app).add("plain", "d")
        notes = app.get(Notes)
        await finished(job)
        after = ["MethodInterceptor after", "ClassInterceptor after", "AppInterceptor after"]
        assert [note for note in notes if not note.endswith(" plain")][3:] == [*BEFORE, *after]
        stored = "d+AppPipe+ClassPipe+MethodPipe"
        assert (job.data, job.returnvalue) == (stored, f"{stored}>AppPipe>ClassPipe>MethodPipe")


async def test_filters_are_asked_from_the_method_up_and_the_first_that_catches_decides(run: Any) -> None:
    async with run(Enhanced, Notes, *FOR_ALL) as app:
        job = await finished(await queue_of(app).add("bad", "d"))
        assert app.get(Notes)[-1].startswith("ClassFilter catches KeyError")
        assert not [note for note in app.get(Notes) if note.startswith(("MethodFilter", "AppFilter"))]
        assert job.failed_reason is not None


async def test_a_method_of_its_own_enhancers_leaves_others_to_those_of_the_class(run: Any) -> None:
    async with run(Enhanced, Notes) as app:
        job = await finished(await queue_of(app).add("other", "d"))
        assert job.returnvalue == "d+ClassPipe>ClassPipe"
        assert not [note for note in app.get(Notes) if note.startswith("Method")]


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (False, "failed", "Answering refused the job 'x' of queue 'email'"),
        (Complete(7), "completed", 7),
        (Delay(3_600_000), "delayed", None),
        ("perhaps", "failed", "Answering.can_activate() answered 'perhaps'; it answers True, False, Delay"),
    ],
)
async def test_a_guard_refuses_drops_or_delays(run: Any, answer: Any, state: str, outcome: Any) -> None:
    class Answering:
        def can_activate(self, context: JobContext) -> Any:
            return answer

    ran = []

    @use_guards(Answering)
    @processor("email")
    class Guarded(WorkerHost):
        @on_worker_event("completed")
        def on_completed(self, job: Job) -> None: ...

        async def process(self, job: Job) -> None:
            ran.append(job.id)

    async with run(Guarded) as app:
        job = await queue_of(app).add("x", attempts=5 if answer is False else 1)
        await _until(job, state)
        assert ran == []
        if state == "failed":
            assert (job.failed_reason or "").startswith(outcome)
            assert job.attempts_made == 1
        else:
            assert (job.returnvalue, job.attempts_made) == (outcome, 1 if state == "completed" else 0)


async def _until(job: Job, state: str) -> None:
    async def is_there() -> bool:
        return await job.get_state() == state

    await eventually(is_there, what=f"{job} to be {state}")
    await job.refresh()


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (UnrecoverableError("for good"), "failed", "for good"),
        (Complete("mended"), "completed", "mended"),
        (Delay(3_600_000), "delayed", None),
        (RateLimit(3_600_000), "waiting", None),
        (None, "delayed", "cold"),
        (7, "delayed", "Turning.catch() answered 7; it answers an error, Delay(duration), RateLimit(duration), "),
    ],
)
async def test_a_filter_turns_an_error_into_another_end(run: Any, answer: Any, state: str, outcome: Any) -> None:
    """With attempts left, an error that stands means a retry."""

    @catch(ValueError)
    class Turning:
        async def catch(self, error: Exception, context: JobContext) -> Any:
            return answer

    @use_filters(Turning)
    @processor("email")
    class Failing(WorkerHost):
        async def process(self, job: Job) -> None:
            raise ValueError("cold")

    async with run(Failing) as app:
        job = await queue_of(app).add("x", attempts=2, backoff=3_600_000)
        if state == "waiting":
            await _limited(app)
        await _until(job, state)
        if state == "completed":
            assert job.returnvalue == outcome
        else:
            assert (job.failed_reason or "").startswith(outcome or "")
            assert job.attempts_made == (0 if outcome is None else 1)


async def _limited(app: Any) -> None:
    async def is_limited() -> bool:
        return await queue_of(app).get_rate_limit_ttl() > 0

    await eventually(is_limited, what="the rate to be limited")


async def test_an_interceptor_may_run_the_handler_again_or_not_at_all_and_knows_whom_it_surrounds(run: Any) -> None:
    seen = []

    class Again:
        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            seen.append((context.get_class(), context.get_handler(), context.job.name))
            if context.job.name == "cached":
                return "from the cache"
            try:
                return await call.handle()
            except ValueError:
                return await call.handle()

    @use_interceptors(Again)
    @processor("email")
    class Flaky(WorkerHost):
        runs = 0

        async def process(self, job: Job, signal: CancelSignal) -> str:
            assert signal is job.signal
            self.runs += 1
            if self.runs == 1:
                raise ValueError
            return f"run {self.runs}"

    async with run(Flaky) as app:
        assert (await finished(await queue_of(app).add("x"))).returnvalue == "run 2"
        assert (await finished(await queue_of(app).add("cached"))).returnvalue == "from the cache"
    assert seen == [(Flaky, Flaky.process, "x"), (Flaky, Flaky.process, "cached")]


async def test_a_plain_handler_runs_in_its_thread_and_what_is_around_it_on_the_loop(run: Any) -> None:
    threads: dict[str, Any] = {}

    class Where:
        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            assert isinstance(context.job, Job)
            threads["interceptor"] = threading.current_thread()
            return f"around {await call.handle()}"

        def transform(self, value: Any, context: JobContext) -> Any:
            return value.upper()

        def catch(self, error: Exception, context: JobContext) -> Any:
            return Complete(f"caught {error}")

    around = Where()

    @use_interceptors(around)
    @use_pipes(around)
    @use_filters(catch()(Where)())
    @processor("email")
    class Plain(WorkerHost):
        def process(self, job: SyncJob) -> str:
            threads["handler"] = threading.current_thread()
            if job.name == "exit":
                raise SystemExit("no")
            job.update_progress(50)
            return str(job.data)

    async with run(Plain) as app:
        job = await finished(await queue_of(app).add("x", "data"))
        assert (job.returnvalue, job.progress) == ("around DATA", 50)
        ended = await finished(await queue_of(app).add("exit", "data"))
        assert ended.returnvalue == "caught the handler raised SystemExit"
    assert threads["interceptor"] is threading.main_thread() is not threads["handler"]


async def test_an_enhancer_of_a_plain_handler_that_exits_fails_its_attempt_only(run: Any) -> None:
    """Out of a task of its own SystemExit would end the event loop, with all that runs in it."""

    class Exiting:
        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            if context.job.name == "exit":
                raise SystemExit(3)
            return await call.handle()

    @use_interceptors(Exiting())
    @processor("email")
    class Plain(WorkerHost):
        def process(self, job: SyncJob) -> str:
            return "done"

    async with run(Plain) as app:
        queue = queue_of(app)
        ended = await finished(await queue.add("exit"))
        assert ended.failed_reason == "an enhancer raised SystemExit"
        assert (await finished(await queue.add("x"))).returnvalue == "done"


async def test_a_handler_that_is_run_again_has_its_data_piped_once_and_what_it_stored_stays(run: Any) -> None:
    seen = []

    class Twice:
        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            await call.handle()
            assert context.job.data == "d+ClassPipe"
            return await call.handle()

    @use_interceptors(Twice)
    @use_pipes(ClassPipe)
    @processor("email")
    class Piped(WorkerHost):
        async def process(self, job: Job) -> None:
            seen.append(job.data)
            if len(seen) == 2:
                await job.update_data("stored")

    async with run(Piped, Notes) as app:
        job = await finished(await queue_of(app).add("x", "d"))
        assert (seen, job.data) == (["d+ClassPipe>ClassPipe"] * 2, "stored")


@injectable(scope=Scope.REQUEST)
class Tenant:
    def __init__(self, job: Annotated[Job, Inject(JOB)]) -> None:
        self.name = job.data


class TenantGuard:
    """REQUEST-scoped, because its Tenant is."""

    def __init__(self, tenant: Tenant, notes: Notes) -> None:
        self.tenant, self.notes = tenant, notes

    def can_activate(self, context: JobContext) -> bool:
        assert self.tenant.name == context.job.data
        self.notes.append(self)
        return True


async def transaction(notes: Notes) -> AsyncIterator[str]:
    try:
        yield "open"
    except ValueError:
        notes.append("rolled back")
        raise
    notes.append("committed")


@pytest.mark.parametrize("is_sync", [False, True])
async def test_what_is_request_scoped_is_made_for_each_job_beside_a_host_that_is_not(run: Any, is_sync: bool) -> None:
    hosts = set()

    class Host(WorkerHost):
        def run(self, job: Any) -> str:
            hosts.add(self)
            return f"for {job.data}"

    @use_guards(TenantGuard)
    @processor("email", concurrency=5)
    class InLoop(Host):
        @on_worker_event("completed")
        def on_completed(self) -> None: ...

        async def process(self, job: Job) -> str:
            return self.run(job)

    @use_guards(TenantGuard)
    @processor("email", concurrency=5)
    class InThread(Host):
        def process(self, job: SyncJob) -> str:
            return self.run(job)

    async with run(InThread if is_sync else InLoop, Tenant, Notes) as app:
        jobs = [await queue_of(app).add("x", name) for name in ("acme", "globex")]
        assert [(await finished(job)).returnvalue for job in jobs] == ["for acme", "for globex"]
        assert len({id(note) for note in app.get(Notes)}) == 2
    assert len(hosts) == 1


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_host_and_its_enhancers_share_the_request_of_the_job(run: Any, is_sync: bool) -> None:
    class Writes:
        def __init__(self, opened: Annotated[str, Inject("transaction")], tenant: Tenant) -> None:
            self.tenant = tenant

        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            return (await call.handle(), id(self.tenant))

    class Host(WorkerHost):
        def __init__(self, tenant: Tenant) -> None:
            self.tenant = tenant

        def run(self, job: Any) -> int:
            if job.data == "bad":
                raise ValueError
            return id(self.tenant)

    @use_interceptors(Writes)
    @processor("email")
    class InLoop(Host):
        async def process(self, job: Job) -> int:
            return self.run(job)

    @use_interceptors(Writes)
    @processor("email")
    class InThread(Host):
        def process(self, job: SyncJob) -> int:
            return self.run(job)

    opening = provide("transaction", use_factory=transaction, scope=Scope.REQUEST)
    async with run(InThread if is_sync else InLoop, Tenant, Notes, opening) as app:
        host_tenant, tenant = (await finished(await queue_of(app).add("x", "acme"))).returnvalue
        assert host_tenant == tenant
        assert app.get(Notes) == ["committed"]
        await finished(await queue_of(app).add("x", "bad"))
        assert app.get(Notes) == ["committed", "rolled back"]


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_timeout_is_seen_by_interceptors_on_the_loop_and_by_no_filter(run: Any, is_sync: bool) -> None:
    """A thread cannot be stopped: its attempt fails all the same, and its interceptors go on until it ends."""
    ended: list[str] = []
    release = threading.Event()

    class Watching:
        async def intercept(self, context: JobContext, call: CallHandler) -> Any:
            try:
                return await call.handle()
            finally:
                ended.append("interceptor")

    @use_interceptors(Watching)
    @use_filters(NotingFilter)
    @processor("email", timeout=50)
    class InLoop(WorkerHost):
        async def process(self, job: Job) -> None:
            await asyncio.Event().wait()

    @use_interceptors(Watching)
    @use_filters(NotingFilter)
    @processor("email", timeout=50)
    class InThread(WorkerHost):
        def process(self, job: SyncJob) -> None:
            release.wait(10)

    async with run(InThread if is_sync else InLoop, Notes) as app:
        job = await finished(await queue_of(app).add("x"))
        assert "ran longer than its timeout of 50 ms" in (job.failed_reason or "")
        assert ended == ([] if is_sync else ["interceptor"])
        release.set()
        await eventually(lambda: bool(ended), what="the interceptor to end")
        assert [note for note in app.get(Notes) if "catches" in note] == []


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_job_that_still_runs_when_its_application_closes_is_handed_back(run: Any, is_sync: bool) -> None:
    started = asyncio.Event()
    loop = asyncio.get_running_loop()
    release = threading.Event()

    @use_interceptors(NotingInterceptor)
    @processor("email")
    class InLoop(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await asyncio.Event().wait()

    @use_interceptors(NotingInterceptor)
    @processor("email")
    class InThread(WorkerHost):
        def process(self, job: SyncJob) -> None:
            loop.call_soon_threadsafe(started.set)
            release.wait(10)

    async with run(InThread if is_sync else InLoop, Notes, shutdown_grace=10) as app:
        job = await queue_of(app).add("x")
        await asyncio.wait_for(started.wait(), 10)
    release.set()
    async with run(Notes, workers_enabled=False) as again:
        left = await queue_of(again).get_job(job.id)
        assert left is not None
        assert (await left.get_state(), left.attempts_made) == ("waiting", 0)
