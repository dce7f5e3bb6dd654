"""Requests: units of work, each with REQUEST-scoped instances of its own, closed at its end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bullworks.core import (
    AsyncFactoryError,
    BuildCircleError,
    Lazy,
    ModuleRef,
    RequestError,
    Scope,
    Token,
    create_application,
    injectable,
    module,
    provide,
)

TENANT: Token[str] = Token("tenant")


@injectable(scope=Scope.REQUEST)
class Session: ...


class Repo:
    def __init__(self, session: Session) -> None:
        self.session = session


class Handler:
    def __init__(self, repo: Repo, session: Session) -> None:
        self.repo, self.session = repo, session


def an_app(*providers: Any) -> Any:
    return create_application(module(providers=providers)(type("App", (), {})))


async def work(app: Any, *tokens: Any, error: Exception | None = None) -> None:
    """A request that needs these, and may fail."""
    async with app.request():
        for token in tokens:
            await app.resolve(token)
        if error is not None:
            raise error


async def test_a_request_has_one_instance_of_each_and_the_next_request_others() -> None:
    async with an_app(Session, Repo, Handler) as app:
        async with app.request():
            first = await app.resolve(Handler)
            assert first is app.get(Handler)
            assert first.repo.session is first.session
        async with app.request():
            assert (await app.resolve(Handler)).session is not first.session


async def test_an_instance_made_outside_is_not_taken_into_a_request() -> None:
    async with an_app(Session) as app:
        outside = app.get(Session)
        async with app.request():
            assert app.get(Session) is not outside
        assert app.get(Session) is outside


async def test_requests_may_be_nested() -> None:
    async with an_app(Session) as app, app.request():
        outer = app.get(Session)
        async with app.request():
            assert app.get(Session) is not outer
        assert app.get(Session) is outer


async def test_tasks_of_a_request_share_its_instances_even_those_made_after_they_began() -> None:
    begun = asyncio.Event()

    async def look(app: Any) -> Session:
        await begun.wait()
        session: Session = app.get(Session)
        return session

    async with an_app(Session) as app, app.request():
        tasks = [asyncio.create_task(look(app)) for _ in range(2)]
        begun.set()
        one, other = await asyncio.gather(*tasks)
        assert one is other is app.get(Session)


async def test_concurrent_requests_are_apart() -> None:
    async def one_request(app: Any) -> Session:
        async with app.request():
            session: Session = await app.resolve(Session)
            await asyncio.sleep(0)
            assert app.get(Session) is session
            return session

    async with an_app(Session) as app:
        sessions = await asyncio.gather(*(one_request(app) for _ in range(20)))
        assert len({id(session) for session in sessions}) == 20


async def test_a_request_brings_values_along() -> None:
    class Greeter:
        def __init__(self, modules: ModuleRef) -> None:
            self.modules = modules

    tenant = provide(TENANT, use_factory=lambda: "nobody", scope=Scope.REQUEST)
    greeting = provide("greeting", use_factory=lambda name: f"hello {name}", inject=[TENANT])
    async with an_app(tenant, greeting, Greeter) as app:
        modules = app.get(Greeter).modules
        async with modules.request({TENANT: "acme"}):
            assert await modules.resolve("greeting") == "hello acme"
        async with modules.request():
            assert await modules.resolve("greeting") == "hello nobody"


async def test_a_value_for_what_all_requests_share_is_refused() -> None:
    async with an_app(provide(TENANT, use_value="all")) as app:
        with pytest.raises(RequestError) as caught:
            app.request({TENANT: "acme"})
    assert str(caught.value) == (
        "tenant can't be given to a request, which it would outlive: provide it with scope=Scope.REQUEST"
    )


async def test_generator_factories_are_resumed_at_its_end_in_reverse_order() -> None:
    steps = []

    async def connection() -> AsyncIterator[str]:
        steps.append("connect")
        yield "connection"
        steps.append("disconnect")

    def transaction(connection: str) -> Iterator[str]:
        steps.append(f"begin on {connection}")
        yield "transaction"
        steps.append("commit")

    providers = [
        provide("connection", use_factory=connection, scope=Scope.REQUEST),
        provide("transaction", use_factory=transaction, inject=["connection"], scope=Scope.REQUEST),
        provide("handler", use_factory=lambda transaction: f"handler in {transaction}", inject=["transaction"]),
    ]
    async with an_app(*providers) as app:
        async with app.request():
            assert await app.resolve("handler") == "handler in transaction"
            assert await app.resolve("handler") == "handler in transaction"
            steps.append("work")
        assert steps == ["connect", "begin on connection", "work", "commit", "disconnect"]


async def test_the_error_that_ended_the_work_is_thrown_into_generator_factories() -> None:
    seen: list[str] = []

    def transaction() -> Iterator[str]:
        try:
            yield "transaction"
        except ValueError as error:
            seen.append(f"rolled back: {error}")  # swallowed here: the work has failed all the same

    async def outer() -> AsyncIterator[str]:
        try:
            yield "outer"
        except ValueError as error:
            seen.append(f"outer: {error}")
            raise

    async with an_app(
        provide("outer", use_factory=outer, scope=Scope.REQUEST),
        provide("transaction", use_factory=transaction, scope=Scope.REQUEST),
    ) as app:
        with pytest.raises(ValueError, match="no such user") as caught:
            await work(app, "outer", "transaction", error=ValueError("no such user"))
        assert seen == ["rolled back: no such user", "outer: no such user"]
        assert not hasattr(caught.value, "__notes__")


async def test_on_module_destroy_is_called_at_its_end_and_no_other_hook_ever() -> None:
    calls = []

    @injectable(scope=Scope.REQUEST)
    class Cursor:
        def on_module_init(self) -> None:
            calls.append("init")

        def on_module_destroy(self) -> None:
            calls.append("cursor closed")

        def on_application_shutdown(self) -> None:
            calls.append("shutdown")

    class Reader:
        def __init__(self, cursor: Cursor) -> None: ...

        async def on_module_destroy(self) -> None:
            await asyncio.sleep(0)
            calls.append("reader closed")

    async with an_app(Cursor, Reader) as app:
        async with app.request():
            await app.resolve(Reader)
            assert calls == []
        assert calls == ["reader closed", "cursor closed"]
    assert calls == ["reader closed", "cursor closed"]


def _failing(*names: str) -> list[Any]:
    def factory(name: str) -> Any:
        def made() -> Iterator[str]:
            yield name
            raise OSError(f"{name} is stuck")

        return made

    return [provide(name, use_factory=factory(name), scope=Scope.REQUEST) for name in names]


async def test_one_that_fails_to_close_is_told_with_its_name_and_keeps_nothing_open() -> None:
    async with an_app(*_failing("a"), Session) as app:
        with pytest.raises(OSError, match="a is stuck") as caught:
            await work(app, "a")
        assert caught.value.__notes__ == ["while closing 'a'"]


async def test_several_that_fail_to_close_come_together() -> None:
    async with an_app(*_failing("a", "b")) as app:
        with pytest.raises(ExceptionGroup, match="errors while a request was closed") as caught:
            await work(app, "a", "b")
        assert [str(error) for error in caught.value.exceptions] == ["b is stuck", "a is stuck"]


async def test_what_fails_to_close_is_noted_on_the_error_of_the_work() -> None:
    @injectable(scope=Scope.REQUEST)
    class Cursor:
        def on_module_destroy(self) -> None:
            raise OSError("stuck")

    async with an_app(Cursor) as app:
        with pytest.raises(ValueError, match="no such user") as caught:
            await work(app, Cursor, error=ValueError("no such user"))
        assert caught.value.__notes__ == ["and while its request was closed: OSError('stuck')"]


async def test_a_cancellation_while_one_closes_leaves_none_open() -> None:
    closing, steps = asyncio.Event(), []

    async def slow() -> AsyncIterator[str]:
        yield "slow"
        closing.set()
        await asyncio.Event().wait()

    def other() -> Iterator[str]:
        yield "other"
        steps.append("other closed")

    async with an_app(
        provide("slow", use_factory=slow, scope=Scope.REQUEST), provide("other", use_factory=other, scope=Scope.REQUEST)
    ) as app:
        task = asyncio.create_task(work(app, "other", "slow"))
        await asyncio.wait_for(closing.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert steps == ["other closed"]


async def test_async_factories_are_awaited_once_a_request_and_give_objects_to_consumers() -> None:
    made = []

    async def connect() -> str:
        await asyncio.sleep(0)
        made.append("connection")
        return f"connection {len(made)}"

    providers = [
        provide("connection", use_factory=connect, scope=Scope.REQUEST),
        provide("one", use_factory=lambda c: f"one on {c}", inject=["connection"]),
        provide("both", use_factory=lambda one, c: f"{one}, {c}", inject=["one", "connection"]),
    ]
    async with an_app(*providers) as app:
        for number in (1, 2):
            async with app.request():
                with pytest.raises(AsyncFactoryError, match=r"^'connection' has an async factory"):
                    app.get("connection")
                assert await app.resolve("both") == f"one on connection {number}, connection {number}"
                assert app.get("connection") == f"connection {number}"
        assert made == ["connection"] * 2


async def test_a_request_that_is_cancelled_while_it_connects_cancels_the_connecting() -> None:
    connecting, cancelled = asyncio.Event(), asyncio.Event()

    async def connect() -> str:
        connecting.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    async with an_app(provide("connection", use_factory=connect, scope=Scope.REQUEST)) as app:
        task = asyncio.create_task(work(app, "connection"))
        await asyncio.wait_for(connecting.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled.is_set()


async def test_an_error_in_a_constructor_says_what_was_being_built() -> None:
    @injectable(scope=Scope.REQUEST)
    class Broken:
        def __init__(self) -> None:
            raise OSError("no route")

    async with an_app(Broken) as app, app.request():
        with pytest.raises(OSError, match="no route") as caught:
            await app.resolve(Broken)
        assert caught.value.__notes__ == ["while building Broken of App"]


async def test_a_lazy_dependency_of_a_singleton_gives_the_instance_of_the_present_request() -> None:
    class Pool:
        def __init__(self, session: Lazy[Session]) -> None:
            self.session = session

    async with an_app(Session, Pool) as app:
        pool = app.get(Pool)
        async with app.request():
            first = pool.session()
            assert first is pool.session() is app.get(Session)
        async with app.request():
            assert pool.session() is not first


async def test_a_task_that_outlives_its_request_is_told() -> None:
    ended = asyncio.Event()

    async def late(app: Any) -> None:
        await ended.wait()
        app.get(Session)

    async with an_app(Session) as app:
        async with app.request():
            task = asyncio.create_task(late(app))
            await asyncio.sleep(0)
        ended.set()
        with pytest.raises(RequestError) as caught:
            await task
    assert str(caught.value) == "Session is REQUEST-scoped, and its request (its job, perhaps) has ended"


async def test_what_is_closed_with_its_request_cannot_be_had_without_one() -> None:
    def opened() -> Iterator[int]:
        yield 1

    async with an_app(provide("cursor", use_factory=opened, scope=Scope.REQUEST)) as app:
        with pytest.raises(RequestError) as caught:
            app.get("cursor")
    assert str(caught.value) == (
        "'cursor' is closed with its request, and there is none here: `async with app.request():`"
    )


async def test_an_override_goes_before_the_instance_of_a_request() -> None:
    async with an_app(Session, Repo) as app, app.request():
        with app.container.session.override("fake"):
            assert (await app.resolve(Repo)).session == "fake"


async def test_an_async_override_of_something_in_a_request_is_awaited() -> None:
    from dependency_injector import providers

    async def fake() -> str:
        return "fake"

    app = an_app(Session, Repo)
    app.container.session.override(providers.Coroutine(fake))
    async with app:
        for _ in range(2):
            async with app.request():
                assert (await app.resolve(Repo)).session == "fake"


async def test_an_alias_of_something_request_scoped_is_the_same_object_and_closed_once() -> None:
    closed = []

    @injectable(scope=Scope.REQUEST)
    class Cursor:
        def on_module_destroy(self) -> None:
            closed.append(self)

    async with an_app(Cursor, provide("reader", use_existing=Cursor)) as app:
        async with app.request():
            cursor = app.get(Cursor)
            assert await app.resolve("reader") is cursor
        assert closed == [cursor]


async def test_a_request_may_be_left_in_another_context_than_it_was_entered_in() -> None:
    """pytest's async fixtures do that."""
    async with an_app(Session) as app:
        request = app.request()
        await asyncio.create_task(request.__aenter__())
        await asyncio.create_task(request.__aexit__(None, None, None))
        assert app.get(Session) is app.get(Session)


@pytest.mark.parametrize("is_async", [True, False])
async def test_five_tasks_that_resolve_one_provider_at_once_have_one_instance(is_async: bool) -> None:
    made: list[object] = []

    async def connect() -> object:
        await asyncio.sleep(0)
        made.append(object())
        return made[-1]

    def build(connection: object) -> object:
        made.append(connection)
        return connection

    providers = [
        provide("connection", use_factory=connect if is_async else object, scope=Scope.REQUEST, inject=[]),
        provide("handler", use_factory=build, inject=["connection"]),
    ]
    async with an_app(*providers) as app, app.request():
        got = await asyncio.gather(*(app.resolve("handler") for _ in range(5)))
        assert all(each is got[0] for each in got)
        assert len(made) == (2 if is_async else 1)
        assert app.get("connection") is got[0]


async def test_when_the_task_that_makes_an_instance_is_cancelled_the_next_makes_it() -> None:
    begun, made = asyncio.Event(), []

    async def connect() -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        made.append("connection")
        return made[-1]

    async with an_app(provide("connection", use_factory=connect, scope=Scope.REQUEST)) as app, app.request():
        first, second = (asyncio.create_task(app.resolve("connection")) for _ in range(2))
        await begun.wait()
        first.cancel()
        assert await second == "connection"
        assert made == ["connection"]


async def test_an_instance_that_asks_for_itself_while_it_is_made_is_refused_in_words() -> None:
    class Owner:
        def __init__(self, child: Lazy["Child"]) -> None:
            child()

    class Child:
        def __init__(self, owner: Owner) -> None: ...

    Owner.__init__.__annotations__["child"] = Lazy[Child]
    async with an_app(Child, provide(Owner, use_class=Owner, scope=Scope.REQUEST)) as app, app.request():
        with pytest.raises(BuildCircleError, match="Child was asked for while it was being built, by Child"):
            await app.resolve(Child)
