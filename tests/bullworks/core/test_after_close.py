"""After its close an application holds nothing that it made, and nothing holds the application."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from bullworks.core import (
    Application,
    Inject,
    Lazy,
    ModuleRef,
    RecipeInUseError,
    Scope,
    create_application,
    dynamic_module,
    injectable,
    module,
    provide,
)


class Made:
    """Something that a provider makes; hooks and arguments refer to it from several sides."""

    def __init__(self, *needed: Any) -> None:
        self.needed = needed

    async def on_module_init(self) -> None: ...

    async def on_module_destroy(self) -> None: ...


@injectable(scope=Scope.TRANSIENT)
class Draft(Made):
    def __init__(self) -> None: ...


@injectable(scope=Scope.REQUEST)
class Session(Made):
    def __init__(self) -> None: ...


@injectable(lazy=True)
class Report(Made):
    def __init__(self) -> None: ...


class Service(Made):
    def __init__(
        self, draft: Draft, modules: ModuleRef, report: Lazy[Report], db: Annotated[Made, Inject("db")]
    ) -> None:
        self.needed = (draft, modules, report, db)


async def open_db() -> AsyncIterator[Made]:
    yield Made()


async def connect() -> Made:
    return Made()


PROVIDERS: list[Any] = [
    Draft,
    Session,
    Report,
    Service,
    provide("db", use_factory=open_db),
    provide("connection", use_factory=connect),
    provide("lazy connection", use_factory=connect, lazy=True),
    provide("alias", use_existing="connection"),
    provide("job connection", use_factory=connect, scope=Scope.REQUEST),
]
TOKENS = [Service, Report, "db", "connection", "lazy connection", "alias", Draft, Session, "job connection"]


async def use(app: Application) -> list["weakref.ref[Any]"]:
    """Ask for everything, in a request and outside of any."""
    made = [await app.resolve(token) for token in TOKENS]
    made.append(app.get(Service).needed[0])
    async with app.request():
        made += [await app.resolve(token) for token in TOKENS]
    return [weakref.ref(each) for each in made]


async def alive(references: list["weakref.ref[Any]"]) -> list[Any]:
    await asyncio.sleep(0)  # the step of the event loop in which something was awaited still holds it
    gc.collect()
    return [reference() for reference in references if reference() is not None]


@pytest.mark.parametrize("is_used_twice", [False, True])
async def test_a_closed_application_holds_nothing_that_it_made(is_used_twice: bool) -> None:
    app = create_application(dynamic_module(type("App", (), {}), providers=PROVIDERS))
    for _ in range(1 + is_used_twice):
        async with app:
            made = await use(app)
            assert len(await alive(made)) > len(TOKENS) / 2
        assert await alive(made) == []


async def test_nor_does_one_whose_start_failed() -> None:
    made: list[weakref.ref[Any]] = []

    async def fails(service: Service) -> None:
        made.append(weakref.ref(service))
        raise ConnectionError("refused")

    app = create_application(
        dynamic_module(type("App", (), {}), providers=[*PROVIDERS, provide("f", use_factory=fails)])
    )
    with pytest.raises(ConnectionError):
        await app
    assert len(made) == 1
    assert await alive(made) == []


@pytest.mark.parametrize("way", ["closed", "failed", "never started", "built, never started"])
async def test_an_application_that_nobody_holds_is_freed(way: str) -> None:
    async def fails() -> None:
        raise ConnectionError("refused")

    recipe = dynamic_module(type("Feature", (), {}), providers=PROVIDERS, exports=TOKENS)
    providers = [provide("fails", use_factory=fails)] if way == "failed" else []
    app = create_application(module(imports=[recipe], providers=providers)(type("App", (), {})))
    references = [weakref.ref(app), weakref.ref(app.container)]
    if way == "closed":
        async with app:
            references += await use(app)
    elif way == "failed":
        with pytest.raises(ConnectionError):
            await app
    elif way == "built, never started":
        await app.container.build_async()
        references += await use(app)
    del app
    assert await alive(references) == []
    # nor is the recipe in use any more
    with recipe.connection.override("fake"):
        pass


async def test_a_recipe_is_in_use_while_an_application_of_it_is_held() -> None:
    recipe = dynamic_module(type("Feature", (), {}), providers=PROVIDERS)
    app = create_application(module(imports=[recipe])(type("App", (), {})))
    gc.collect()
    with pytest.raises(RecipeInUseError):
        recipe.connection.override("fake")
    await app.close()


async def test_what_a_task_made_outside_of_a_request_goes_with_the_application_and_not_with_the_task() -> None:
    """A worker's task lives for the whole process, and so does its context."""
    app = create_application(dynamic_module(type("App", (), {}), providers=PROVIDERS))
    asked, ended = asyncio.Event(), asyncio.Event()
    made: list[weakref.ref[Any]] = []

    async def task() -> None:
        made.append(weakref.ref(app.get(Session)))
        asked.set()
        await ended.wait()

    async with app:
        running = asyncio.create_task(task())
        await asked.wait()
    assert await alive(made) == []
    ended.set()
    await running
