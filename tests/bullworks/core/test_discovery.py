"""Discovery: decorated classes and methods among all instances."""

import functools
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from unittest.mock import Mock

import pytest
from dependency_injector import containers, providers

from bullworks.core import (
    Discovery,
    ModuleContainer,
    Scope,
    WiringError,
    create_application,
    dynamic_module,
    methods_of,
    module,
    provide,
)

T = TypeVar("T")


def tagged(value: Any) -> Callable[[T], T]:
    def mark(it: T) -> T:
        setattr(it, "__tag__", value)  # noqa: B010
        return it

    return mark


class Base:
    @tagged("inherited")
    def on_base(self) -> str:
        return "base"

    @tagged("hidden")
    def replaced(self) -> None: ...


@tagged("class")
class Worker(Base):
    @tagged("own")
    async def on_own(self) -> None: ...

    def replaced(self) -> None: ...

    @staticmethod
    @tagged("static")
    def on_static() -> str:
        return "static"

    @property
    def explosive(self) -> None:
        raise AssertionError("discovery ran a property")


class Untagged(Worker): ...


class Finder:
    def __init__(self, discovery: Discovery) -> None:
        self.discovery = discovery


async def test_decorated_classes_are_found_in_every_module_with_their_path() -> None:
    @module(providers=[Worker, Untagged])
    class BullModule: ...

    @module(imports=[BullModule], providers=[Finder])
    class App: ...

    async with create_application(App) as app:
        (found,) = app.get(Finder).discovery.classes("__tag__")
        assert found.instance is app.get(Worker)
        assert found.metadata == "class"
        assert found.path == ("App", "BullModule", "Worker")


async def test_decorated_methods_are_found_on_base_classes_too_and_bound() -> None:
    @module(providers=[Worker, Finder])
    class App: ...

    async with create_application(App) as app:
        found = {method.name: method for method in app.get(Finder).discovery.methods("__tag__")}
        assert {name: method.metadata for name, method in found.items()} == {
            "on_own": "own",
            "on_static": "static",
            "on_base": "inherited",
        }
        assert found["on_base"].method() == "base"
        assert found["on_static"].method() == "static"
        assert found["on_own"].instance is app.get(Worker)


async def test_a_mock_in_a_decorated_class_s_place_is_not_found() -> None:
    app = create_application(dynamic_module(type("App", (), {}), providers=[Worker, Finder]))
    app.container.worker.override(Mock(spec=Worker))
    async with app:
        assert list(app.get(Finder).discovery.classes("__tag__")) == []
        assert list(app.get(Finder).discovery.methods("__tag__")) == []


async def test_an_instance_under_two_tokens_is_found_once() -> None:
    worker = Worker()
    providers = [Finder, provide("a", use_value=worker), provide("b", use_existing="a")]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)) as app:
        assert [found.instance for found in app.get(Finder).discovery.classes("__tag__")] == [worker]


def test_the_methods_of_one_instance_can_be_asked_for() -> None:
    assert [found.metadata for found in methods_of(Base(), "__tag__")] == ["inherited", "hidden"]


async def test_every_provider_is_listed_whether_it_is_built_or_not() -> None:
    listed = [Finder, provide(Worker, use_class=Worker, lazy=True), provide("tag", use_value="x")]
    async with create_application(dynamic_module(type("App", (), {}), providers=listed)) as app:
        found = {label: each for each in app.get(Finder).discovery.providers() for label in [each.path[-1]]}
        assert found["Worker"].path == ("App", "Worker")
        assert (found["Worker"].is_built, found["Worker"].made_from) == (False, Worker)
        assert (found["'tag'"].is_built, found["'tag'"].made_from, found["'tag'"].instance) == (True, str, "x")


async def test_a_provider_says_how_long_it_lives_and_where_it_comes_from() -> None:
    class Handler:
        def __init__(self, session: Worker) -> None: ...

    foreign = containers.DynamicContainer()
    foreign.clock = providers.Object("noon")
    listed = [
        Finder,
        Handler,
        provide(Worker, use_factory=Worker, scope=Scope.REQUEST),
        provide("alias", use_existing=Finder),
        provide("later", use_factory=dict, lazy=True),
    ]
    app = create_application(dynamic_module(type("App", (), {}), imports=[foreign], providers=listed))
    async with app:
        found = {str(each.path[-1]): each for each in app.get(Finder).discovery.providers()}
        assert {name: (each.kind.value, each.scope.value, each.is_eager) for name, each in found.items()} == {
            "App": ("class", "singleton", True),
            "Finder": ("class", "singleton", True),
            "Handler": ("class", "request", False),
            "Worker": ("factory", "request", False),
            "'alias'": ("alias", "singleton", True),
            "'later'": ("factory", "singleton", False),
            "'clock'": ("foreign", "singleton", False),
            "Discovery": ("value", "singleton", True),
        }
        assert found["Worker"].made_from is Worker
        assert found["'later'"].made_from is None
        async with app.request():
            assert await found["Handler"].resolve() is app.get(Handler)


async def test_modules_are_listed_leaf_first_with_what_they_import_and_export() -> None:
    @module(providers=[Worker], exports=[Worker], is_global=True)
    class Leaf: ...

    @module(imports=[Leaf], exports=[Leaf])
    class Middle: ...

    @module(imports=[Leaf, Middle], providers=[Finder])
    class App: ...

    async with create_application(App) as app:
        leaf, middle, root = app.get(Finder).discovery.modules()
        assert [(each.name, each.cls, each.imports) for each in (leaf, middle, root)] == [
            ("Leaf", Leaf, ()),
            ("Middle", Middle, (leaf.number,)),
            ("App", App, (leaf.number, middle.number)),
        ]
        assert (leaf.exports, middle.exports, root.exports) == ((Worker,), (leaf.number,), ())
        assert (leaf.is_global, root.is_global) == (True, False)
        assert [provider.token for provider in leaf.providers] == [Leaf, Worker]


def test_a_module_may_look_through_the_application_before_anything_is_built() -> None:
    built = []

    class Pool:
        def __init__(self) -> None:
            built.append("pool")

    def look(discovery: Discovery) -> Iterator[Exception]:
        for provider in discovery.providers():
            if provider.token == "odd":
                yield ValueError(f"odd: {' > '.join(provider.path)}")

    def made(*listed: Any) -> ModuleContainer:
        checking = dynamic_module(type("Checking", (), {}), checks=[look])
        return dynamic_module(type("App", (), {}), imports=[checking], providers=[Pool, *listed])

    made(provide("even", use_value=2)).build()
    assert built == ["pool"]
    with pytest.raises(ValueError, match="odd: App > 'odd'"):
        made(provide("odd", use_value=1)).build()
    with pytest.raises(ExceptionGroup, match="App cannot start") as caught:
        made(provide("odd", use_value=1), provide("x", use_factory=dict, inject=["nothing"])).build()
    assert [type(error) for error in caught.value.exceptions] == [WiringError, ValueError]
    assert built == ["pool"]


async def test_what_is_overridden_and_not_built_is_made_from_nobody_knows_what() -> None:
    app = create_application(dynamic_module(type("App", (), {}), providers=[Worker, provide(Base, use_factory=Base)]))
    app.container.worker.override("fake")
    found = {each.path[-1]: each for each in app.discovery.providers()}
    assert (found["Worker"].made_from, found["Worker"].is_given) == (None, True)
    assert (found["Base"].made_from, found["Base"].is_given) == (Base, False)


def test_a_class_that_was_looked_through_is_forgotten_with_its_last_user() -> None:
    def wrap(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*args: Any) -> Any:
            return function(*args)

        return wrapped

    class Gone(Base):
        class Nested:
            __tag__ = "of a nested class, which is no method"

        @tagged("wrapped")
        @wrap
        def closing_over_its_class(self) -> None:
            super().replaced()

    assert {found.metadata for found in methods_of(Gone(), "__tag__")} == {"wrapped", "inherited", "hidden"}
    known = weakref.ref(Gone)
    del Gone
    gc.collect()
    assert known() is None
