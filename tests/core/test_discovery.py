"""Discovery: decorated classes and methods among all instances."""

from collections.abc import Callable
from typing import Any, TypeVar
from unittest.mock import Mock

from app.core import Discovery, create_application, dynamic_module, methods_of, module, provide

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
    class WorkersModule: ...

    @module(imports=[WorkersModule], providers=[Finder])
    class App: ...

    async with create_application(App) as app:
        (found,) = app.get(Finder).discovery.classes("__tag__")
        assert found.instance is app.get(Worker)
        assert found.metadata == "class"
        assert found.path == ("App", "WorkersModule", "Worker")


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
    providers = [Finder, provide(Worker, use_class=Worker, lazy=True), provide("tag", use_value="x")]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)) as app:
        found = {label: each for each in app.get(Finder).discovery.providers() for label in [each.path[-1]]}
        assert found["Worker"].path == ("App", "Worker")
        assert (found["Worker"].is_built, found["Worker"].made_from) == (False, Worker)
        assert (found["'tag'"].is_built, found["'tag'"].made_from, found["'tag'"].instance) == (True, str, "x")
