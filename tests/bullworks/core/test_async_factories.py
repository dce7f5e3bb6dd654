"""Async and generator factories: awaited in dependency order, closed in reverse."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from dependency_injector import providers

from bullworks.core import AsyncFactoryError, Inject, Lazy, create_application, dynamic_module, injectable, provide


class App: ...


class Db:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn


class Repo:
    def __init__(self, db: Db) -> None:
        self.db = db


async def read_dsn() -> str:
    return "pg://x"


def recording(log: list[str]) -> list[Any]:
    async def open_db(dsn: Annotated[str, Inject("DSN")]) -> AsyncIterator[Db]:
        log.append("open db")
        yield Db(dsn)
        log.append("close db")

    def open_session(repo: Repo) -> Iterator[str]:
        log.append("open session")
        yield f"session on {repo.db.dsn}"
        log.append("close session")

    return [
        Repo,
        provide("session", use_factory=open_session),
        provide(Db, use_factory=open_db),
        provide("DSN", use_factory=read_dsn),
    ]


async def test_consumers_get_objects_not_futures() -> None:
    async with create_application(dynamic_module(App, providers=recording([]))) as app:
        assert app.get("DSN") == "pg://x"
        assert isinstance(app.get(Db), Db)
        assert app.get(Repo).db is app.get(Db)
        assert app.container.db() is app.get(Db)
        assert app.get("session") == "session on pg://x"


async def test_resources_close_in_reverse_order_even_if_they_depend_on_each_other_indirectly() -> None:
    log: list[str] = []
    async with create_application(dynamic_module(App, providers=recording(log))):
        assert log == ["open db", "open session"]
    assert log == ["open db", "open session", "close session", "close db"]


async def test_a_resource_that_fails_to_close_does_not_keep_the_others_open() -> None:
    log: list[str] = []

    def stubborn(db: Db) -> Iterator[int]:
        yield 1
        raise RuntimeError("will not close")

    container = dynamic_module(App, providers=[*recording(log), provide("stubborn", use_factory=stubborn)])
    with pytest.raises(ExceptionGroup, match="errors while closing App") as caught:
        async with create_application(container):
            pass
    assert [str(error) for error in caught.value.exceptions] == ["will not close"]
    assert caught.value.exceptions[0].__notes__ == ["while closing 'stubborn' of App"]
    assert log[-1] == "close db"


async def test_a_factory_that_fails_closes_what_was_open() -> None:
    log: list[str] = []

    async def fail(db: Db) -> None:
        raise ConnectionError("refused")

    container = dynamic_module(App, providers=[*recording(log), provide("fails", use_factory=fail)])
    with pytest.raises(ConnectionError, match="refused") as caught:
        await create_application(container)
    assert caught.value.__notes__ == ["while building 'fails' of App"]
    assert log[-1] == "close db"


def test_a_sync_build_refuses_an_async_factory() -> None:
    container = dynamic_module(App, providers=[Repo, *recording([])[1:]])
    with pytest.raises(AsyncFactoryError, match="'DSN' has an async factory and is not built yet"):
        container.build()
    with pytest.raises(AsyncFactoryError, match=r"Repo needs 'DSN', which has an async factory.*resolve\(Repo\)"):
        container.get(Repo)


async def test_resolve_awaits_what_get_refuses() -> None:
    container = dynamic_module(App, providers=recording([]))
    repo = await container.resolve(Repo)
    assert repo.db.dsn == "pg://x"
    assert container.get(Repo) is repo


async def test_an_async_factory_that_returns_none_is_awaited_once() -> None:
    calls = []

    async def migrate() -> None:
        calls.append(1)

    def client(migrated: Annotated[Any, Inject("migrated")]) -> Any:
        return [migrated]

    container = dynamic_module(
        App,
        providers=[
            provide("migrated", use_factory=migrate),
            provide("first", use_factory=client),
            provide("second", use_factory=client),
        ],
    )
    async with create_application(container) as app:
        assert app.get("first") == app.get("second") == [None]
    assert calls == [1]


async def test_a_lazy_async_provider_is_built_only_if_something_needs_it() -> None:
    log: list[str] = []

    @injectable(lazy=True)
    class Report:
        def __init__(self, db: Db) -> None:
            self.db = db

    dsn = provide("DSN", use_value="pg://x")
    db = provide(Db, use_factory=recording(log)[2].recipe.function, lazy=True)
    async with create_application(dynamic_module(App, providers=[Report, db, dsn])) as app:
        assert log == []
        with pytest.raises(AsyncFactoryError, match="Report needs Db"):
            app.get(Report)
        assert (await app.resolve(Report)).db is app.get(Db)
    assert log == ["open db", "close db"]


async def test_a_lazy_dependency_on_something_async_works_once_it_is_built() -> None:
    class Client:
        def __init__(self, db: Lazy[Db]) -> None:
            self.db = db

    async with create_application(dynamic_module(App, providers=[Client, *recording([])])) as app:
        assert app.get(Client).db() is app.get(Db)


async def test_an_async_override_is_awaited_as_well() -> None:
    async def other_db() -> Db:
        return Db("other")

    container = dynamic_module(App, providers=recording([]))
    container.db.override(providers.Coroutine(other_db))
    async with create_application(container) as app:
        assert app.get(Repo).db.dsn == "other"
        assert app.get(Db) is app.get(Repo).db


async def test_a_transient_async_factory_gives_each_consumer_its_own() -> None:
    from bullworks.core import Scope

    async def make() -> object:
        return object()

    def client(it: Annotated[Any, Inject("made")]) -> Any:
        return it

    container = dynamic_module(
        App,
        providers=[
            provide("made", use_factory=make, scope=Scope.TRANSIENT),
            provide("first", use_factory=client),
            provide("second", use_factory=client),
        ],
    )
    async with create_application(container) as app:
        assert app.get("first") is not app.get("second")
        assert await app.resolve("made") is not app.get("first")


async def test_an_application_that_was_closed_starts_anew() -> None:
    log: list[str] = []
    container = dynamic_module(App, providers=recording(log))
    async with create_application(container) as app:
        first = app.get(Db)
    async with create_application(container) as app:
        assert app.get(Db) is not first
    assert log.count("open db") == log.count("close db") == 2


async def test_a_container_alone_is_built_with_its_async_factories() -> None:
    async def connect() -> str:
        return "connection"

    container = dynamic_module(type("App", (), {}), providers=[provide("connection", use_factory=connect)])
    assert (await container.build_async()).get("connection") == "connection"
