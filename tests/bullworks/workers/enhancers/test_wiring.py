"""What is wrong with enhancers is told when they are decorated, or all at once at the start."""

from typing import Any

import pytest

from bullworks.bullmq import Job, SyncJob, Worker
from bullworks.core import provide
from bullworks.workers import (
    APP_GUARD,
    APP_INTERCEPTOR,
    APP_PIPE,
    CallHandler,
    EnhancerClassError,
    EnhancerPlaceError,
    JobContext,
    WorkerHost,
    catch,
    process,
    processor,
    use_filters,
    use_guards,
    use_interceptors,
)
from bullworks.workers.enhancers.enhancing import Enhancing
from tests.bullworks.workers import in_processes
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.enhancers.notes import Notes, NotingGuard, NotingInterceptor, NotingPipe
from tests.bullworks.workers.test_processing import finished


class Neither: ...


class Plain:
    def intercept(self, context: JobContext, call: CallHandler) -> Any: ...


class Short:
    def can_activate(self) -> bool:
        return True


class Uncaught:
    def catch(self, error: Exception, context: JobContext) -> None: ...


@pytest.mark.parametrize(
    ("decorate", "text"),
    [
        (lambda: use_guards(Neither), "@use_guards: Neither has neither can_activate nor can_add; write `async def "),
        (use_guards, "@use_guards: it names at least one guard"),
        (lambda: use_guards(Short), "@use_guards: Short has a can_activate that takes too few arguments; write `async"),
        (lambda: use_interceptors(Plain()), "@use_interceptors: Plain has a plain intercept, which cannot await;"),
        (lambda: use_filters(Uncaught), "@use_filters: Uncaught has no @catch above it; write `@catch(SomeError)`"),
        (lambda: catch(KeyboardInterrupt), "@catch: <class 'KeyboardInterrupt'> is no class of exceptions"),
    ],
)
def test_what_is_no_enhancer_is_refused_where_it_is_written(decorate: Any, text: str) -> None:
    with pytest.raises(EnhancerClassError) as refused:
        decorate()
    assert str(refused.value).startswith(text)


class Missing: ...


class NeedsMissing:
    def __init__(self, missing: Missing) -> None: ...

    def can_activate(self, context: JobContext) -> bool:
        return True


@use_guards(NeedsMissing)
class Service:
    """No processor."""


class AppPipe(NotingPipe): ...


@use_guards(NotingGuard)
@processor("email")
class Misplaced(WorkerHost):
    async def process(self, job: Job) -> None: ...

    @use_interceptors(NotingInterceptor)
    async def helper(self) -> None: ...


async def test_all_that_is_wrong_is_told_at_once_with_a_path_and_what_to_do(run: Any) -> None:
    application = run(
        Misplaced,
        Service,
        in_processes.NamedWorker,
        provide(APP_GUARD, use_class=Neither),
        provide(APP_PIPE, use_class=AppPipe),
        provide(APP_PIPE, use_class=AppPipe),
        Notes,
    )
    with pytest.raises(ExceptionGroup) as refused:
        await application
    text = "\n".join(map(str, refused.value.exceptions))
    for line in (
        "Can't resolve the dependencies of NeedsMissing(?) in BullModule: no provider for parameter `missing: Missing`",
        "BullModule > APP_GUARD: Neither has neither can_activate nor can_add",
        "BullModule > Service has @use_guards(NeedsMissing), but no @processor: they would never run",
        "BullModule > Misplaced has @use_interceptors(NotingInterceptor) on helper, which processes no jobs; put it on",
        "BullModule > NamedWorker has a process_pool, whose processes read the jobs' own data: AppPipe would change",
    ):
        assert line in text, text


async def test_a_class_that_a_module_provides_is_used_and_else_each_module_has_its_own(run: Any) -> None:
    guard = NotingGuard(Notes())

    @use_guards(NotingGuard)
    @processor("email")
    class Guarded(WorkerHost):
        async def process(self, job: Job) -> None: ...

    async with run(Guarded, provide(NotingGuard, use_value=guard)) as app:
        await finished(await queue_of(app).add("x"))
        assert guard.notes == ["NotingGuard guards x", "NotingGuard guards"]
    async with run(Guarded, Notes) as app:
        assert isinstance(app.get(NotingGuard), NotingGuard)


async def test_subclasses_of_a_guarded_class_are_guarded_too(run: Any) -> None:
    @use_guards(NotingGuard)
    class Base(WorkerHost):
        async def process(self, job: Job) -> None: ...

    @processor("email")
    class Guarded(Base): ...

    async with run(Guarded, Notes) as app:
        await finished(await queue_of(app).add("x"))
        assert app.get(Notes)[-1] == "NotingGuard guards"


async def test_without_enhancers_the_worker_calls_the_very_methods(run: Any) -> None:
    @processor("email")
    class Named(WorkerHost):
        @process("a")
        async def a(self, job: Job) -> None: ...

        @process("b")
        def b(self, job: SyncJob) -> None: ...

    async with run(Named) as app:
        host = app.get(Named)
        handlers = {"a": host.a, "b": host.b}
        spec = vars(Named)["__processor__"]
        enhancing = Enhancing(Named, spec, lambda _: (), queue_of(app), app.request)
        assert await enhancing.around(handlers) is handlers
        worker: Worker[Any, Any] = host.worker
        assert worker._engine.runner._handlers.named("a").function == host.a


async def test_factories_are_checked_once_they_have_run(run: Any) -> None:
    def make() -> object:
        return Neither()

    with pytest.raises(EnhancerClassError, match="APP_INTERCEPTOR: Neither has neither intercept nor intercept_add"):
        async with run(provide(APP_INTERCEPTOR, use_factory=make)):
            pass


async def test_a_host_that_nobody_knew_before_it_was_built_is_refused_rather_than_run_unguarded(run: Any) -> None:
    @use_guards(NotingGuard)
    @processor("email")
    class Guarded(WorkerHost):
        async def process(self, job: Job) -> None: ...

    def make() -> object:
        return Guarded()

    with pytest.raises(EnhancerPlaceError, match="uses NotingGuard, which is not there"):
        async with run(provide("host", use_factory=make)):
            pass


@pytest.mark.process
async def test_jobs_in_processes_have_guards_and_interceptors_here(run: Any) -> None:
    application = run(
        in_processes.NamedWorker,
        Notes,
        provide(APP_GUARD, use_class=NotingGuard),
        provide(APP_INTERCEPTOR, use_class=NotingInterceptor),
    )
    async with application as app:
        assert (await finished(await queue_of(app).add("double", 4))).returnvalue == 8
        assert [note for note in app.get(Notes) if not note.endswith(" double")] == [
            "NotingGuard guards",
            "NotingInterceptor before",
            "NotingInterceptor after",
        ]
