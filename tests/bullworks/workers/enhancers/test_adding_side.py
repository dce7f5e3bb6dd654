"""Guards, interceptors, pipes and filters around what adds jobs."""

from collections.abc import Sequence
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, JobSpec
from bullworks.core import Scope, injectable, provide
from bullworks.workers import (
    APP_GUARD,
    APP_INTERCEPTOR,
    AddContext,
    BullModule,
    CallHandler,
    EnhancerAnswerError,
    GuardRefusedError,
    JobContext,
    WorkerHost,
    catch,
    get_flow_producer_token,
    process,
    processor,
    use_filters,
    use_guards,
    use_interceptors,
    use_pipes,
)
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.enhancers.notes import Notes, NotingFilter, NotingGuard, NotingInterceptor, NotingPipe

FLOWS = BullModule.register_flow_producer()


class ClassGuard(NotingGuard): ...


class AppInterceptor(NotingInterceptor): ...


class MethodInterceptor(NotingInterceptor): ...


class ClassPipe(NotingPipe): ...


@catch(InvalidOptionError)
class ClassFilter(NotingFilter): ...


@use_guards(ClassGuard)
@use_pipes(ClassPipe)
@use_filters(ClassFilter)
@processor("email")
class Enhanced(WorkerHost):
    @process("welcome")
    @use_interceptors(MethodInterceptor)
    async def welcome(self, job: Job) -> None: ...

    @process("digest")
    async def digest(self, job: Job) -> None: ...


@pytest.fixture
def app(run: Any) -> Any:
    """Adds only: its worker takes no jobs."""
    options = {"workers_enabled": False, "queues": ("email", "plain"), "imports": [FLOWS]}
    return run(Enhanced, Notes, provide(APP_INTERCEPTOR, use_class=AppInterceptor), **options)


async def test_one_job_is_surrounded_in_the_order_of_processing(app: Any) -> None:
    async with app:
        job = await queue_of(app).add("welcome", "d", priority=3)
        assert (job.data, job.priority) == ("d+ClassPipe", 3)
        await job.refresh()
        assert job.data == "d+ClassPipe"
        assert app.get(Notes) == [
            "ClassGuard guards welcome",
            "AppInterceptor before welcome",
            "MethodInterceptor before welcome",
            "ClassPipe pipes",
            "MethodInterceptor after welcome",
            "AppInterceptor after welcome",
        ]


async def test_jobs_of_one_call_are_surrounded_together_each_interceptor_with_its_own(app: Any) -> None:
    async with app:
        jobs = await queue_of(app).add_bulk([JobSpec("digest", 1), JobSpec("welcome", 2), JobSpec("digest", 3)])
        assert [job.data for job in jobs] == ["1+ClassPipe", "2+ClassPipe", "3+ClassPipe"]
        befores = [note for note in app.get(Notes) if " before " in note]
        assert befores == ["AppInterceptor before digest welcome digest", "MethodInterceptor before welcome"]


async def test_a_flow_is_surrounded_with_all_its_jobs_by_their_queues(app: Any) -> None:
    async with app:
        flows: FlowProducer = app.get(get_flow_producer_token())
        node = await flows.add(
            {
                "name": "digest",
                "queue_name": "email",
                "data": 1,
                "children": [
                    {"name": "welcome", "queue_name": "email", "data": 2, "opts": {"attempts": 4}},
                    {"name": "part", "queue_name": "plain", "data": 3},
                ],
            }
        )
        jobs = [node.job, *(child.job for child in node.children)]
        assert [job.data for job in jobs] == ["1+ClassPipe", "2+ClassPipe", 3]
        assert jobs[1].opts.attempts == 4
        assert app.get(Notes)[2] == "AppInterceptor before digest welcome part"


async def test_a_guard_that_says_no_adds_nothing(run: Any) -> None:
    class Refusing:
        def can_add(self, context: AddContext) -> bool:
            return context.job.data != "bad"

    async with run(provide(APP_GUARD, use_class=Refusing)) as app:
        with pytest.raises(GuardRefusedError, match="Refusing refused the job 'x' of queue 'email'"):
            await queue_of(app).add_bulk([JobSpec("x", "good"), JobSpec("x", "bad")])
        assert await queue_of(app).get_job_counts("waiting") == {"waiting": 0}
        await queue_of(app).add("x", "good")


async def test_a_filter_may_turn_the_error_of_an_add_and_else_it_stands(run: Any) -> None:
    @catch(InvalidOptionError)
    class Turning:
        def catch_add(self, error: Exception, contexts: Sequence[AddContext]) -> Exception | None:
            return LookupError(f"{contexts[0].job.name}: {error}") if contexts[0].job.name == "welcome" else None

    @use_filters(Turning)
    @processor("email")
    class Filtered(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with run(Filtered) as filtered:
        with pytest.raises(LookupError, match="welcome: attempts"):
            await queue_of(filtered).add("welcome", attempts=-1)
        with pytest.raises(InvalidOptionError):
            await queue_of(filtered).add("x", attempts=-1)


async def test_interceptors_may_change_options_and_must_go_on_or_raise(run: Any) -> None:
    class Changing:
        async def intercept_add(self, contexts: Sequence[AddContext], call: CallHandler) -> None:
            for context in contexts:
                assert (context.get_class(), context.get_handler()) == (None, None)
                context.job.opts["priority"] = 7
            if contexts[0].job.name != "lost":
                await call.handle()

    async with run(provide(APP_INTERCEPTOR, use_class=Changing)) as app:
        assert (await queue_of(app).add("x")).priority == 7
        with pytest.raises(EnhancerAnswerError, match=r"Changing.intercept_add\(\) answered and nothing was stored"):
            await queue_of(app).add("lost")


async def test_jobs_that_are_stored_again_have_their_data_piped_once(run: Any) -> None:
    class Again:
        async def intercept_add(self, contexts: Sequence[AddContext], call: CallHandler) -> None:
            with pytest.raises(InvalidOptionError):
                await call.handle()
            contexts[0].job.opts["attempts"] = 1
            await call.handle()

    @use_interceptors(Again)
    @use_pipes(ClassPipe)
    @processor("email")
    class Piped(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with run(Piped, Notes, workers_enabled=False) as app:
        job = await queue_of(app).add("x", "d", attempts=-1)
        assert (job.data, job.opts.attempts) == ("d+ClassPipe", 1)


async def test_with_none_for_this_side_a_queue_looks_once_and_never_again(run: Any) -> None:
    class OnlyProcesses:
        def can_activate(self, context: JobContext) -> bool:
            return True

    async with run(provide(APP_GUARD, use_class=OnlyProcesses), workers_enabled=False) as app:
        assert queue_of(app).adding is not None
        await queue_of(app).add("x")
        assert queue_of(app).adding is None


@injectable(scope=Scope.REQUEST)
class Tenant:
    name = "nobody"


class Stamping:
    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def transform_add(self, value: Any, context: AddContext) -> Any:
        return {"tenant": self.tenant.name, "value": value}


async def test_what_is_request_scoped_is_of_the_callers_request_or_of_one_for_the_call(run: Any) -> None:
    @use_pipes(Stamping)
    @processor("email")
    class Stamped(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with run(Stamped, Tenant, workers_enabled=False) as app:
        async with app.request():
            (await app.resolve(Tenant)).name = "acme"
            assert (await queue_of(app).add("x", 1)).data == {"tenant": "acme", "value": 1}
        assert (await queue_of(app).add("x", 2)).data == {"tenant": "nobody", "value": 2}


async def test_nothing_is_changed_in_redis_by_enhancers_that_change_nothing(run: Any) -> None:
    """The job is the one that a queue without any would have added."""

    class Passing:
        async def intercept_add(self, contexts: Sequence[AddContext], call: CallHandler) -> None:
            await call.handle()

    stored = []
    for providers in ((), (provide(APP_INTERCEPTOR, use_class=Passing),)):
        async with run(*providers, workers_enabled=False) as application:
            queue = queue_of(application)
            for options in ({}, {"delay": 5, "attempts": 2}):
                job = await queue.add("x", {"n": 1}, timestamp=1, **options)
                stored.append(await queue.scripts.read_fields(job.id))
    assert stored[:2] == stored[2:]
