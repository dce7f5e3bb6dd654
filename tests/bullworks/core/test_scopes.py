"""How long instances live."""

import contextvars
from typing import Any

import pytest

from bullworks.core import Lazy, Scope, dynamic_module, injectable, provide


class App: ...


@injectable(scope=Scope.TRANSIENT)
class Draft: ...


@injectable(scope=Scope.REQUEST)
class JobContext: ...


class Handler:
    def __init__(self, context: JobContext) -> None:
        self.context = context


class Outer:
    def __init__(self, handler: Handler) -> None:
        self.handler = handler


def test_a_singleton_is_one_per_application() -> None:
    class Mail: ...

    first, second = (dynamic_module(App, providers=[Mail]) for _ in range(2))
    assert first.get(Mail) is first.get(Mail)
    assert first.get(Mail) is not second.get(Mail)


def test_a_transient_is_new_for_each_consumer() -> None:
    class Writer:
        def __init__(self, first: Draft, second: Draft) -> None:
            self.first, self.second = first, second

    writer = dynamic_module(App, providers=[Draft, Writer]).build().get(Writer)
    assert writer.first is not writer.second


def test_a_request_scoped_provider_is_one_per_context() -> None:
    made = dynamic_module(App, providers=[JobContext])

    def twice() -> tuple[JobContext, JobContext]:
        return made.get(JobContext), made.get(JobContext)

    (one, same), (other, _) = (contextvars.copy_context().run(twice) for _ in range(2))
    assert one is same
    assert one is not other


def test_consumers_of_a_request_scoped_provider_are_request_scoped() -> None:
    made = dynamic_module(App, providers=[Outer, Handler, JobContext]).build()
    one, other = (contextvars.copy_context().run(made.get, Outer) for _ in range(2))
    assert one is not other
    assert one.handler.context is not other.handler.context


def test_request_scope_reaches_through_a_transient() -> None:
    class Middle:
        def __init__(self, context: JobContext) -> None: ...

    class Top:
        def __init__(self, middle: Middle) -> None: ...

    made = dynamic_module(
        App, providers=[JobContext, provide(Middle, use_class=Middle, scope=Scope.TRANSIENT), Top]
    ).build()
    one, other = (contextvars.copy_context().run(made.get, Top) for _ in range(2))
    assert one is not other


def test_a_lazy_dependency_on_a_request_scoped_provider_leaves_a_singleton_alone() -> None:
    class Pool:
        def __init__(self, context: Lazy[JobContext]) -> None:
            self.context = context

    made = dynamic_module(App, providers=[JobContext, Pool]).build()
    one, other = (contextvars.copy_context().run(made.get, Pool) for _ in range(2))
    assert one is other
    assert isinstance(contextvars.copy_context().run(one.context), JobContext)


def test_the_mark_of_a_class_counts_for_itself_not_for_its_subclasses() -> None:
    class Note(Draft): ...

    made = dynamic_module(App, providers=[Draft, Note])
    assert made.get(Draft) is not made.get(Draft)
    assert made.get(Note) is made.get(Note)


def test_the_scope_in_provide_goes_before_the_mark() -> None:
    made = dynamic_module(App, providers=[provide(Draft, use_class=Draft, scope=Scope.SINGLETON)])
    assert made.get(Draft) is made.get(Draft)


def test_a_lazy_provider_is_built_when_something_first_needs_it() -> None:
    built = []

    @injectable(lazy=True)
    class Connection:
        def __init__(self) -> None:
            built.append("connection")

    class Client:
        def __init__(self, connection: Connection) -> None: ...

    alone = dynamic_module(App, providers=[Connection]).build()
    assert built == []
    alone.get(Connection)
    dynamic_module(App, providers=[Connection, Client]).build()
    assert built == ["connection", "connection"]


def _generator() -> Any:
    yield 1


def test_a_generator_factory_cannot_be_transient() -> None:
    with pytest.raises(TypeError) as caught:
        provide("resource", use_factory=_generator, scope=Scope.TRANSIENT)
    assert str(caught.value) == (
        "provide('resource'): a generator factory is closed with the application, or with its request, "
        "so it can be SINGLETON or REQUEST, not TRANSIENT; return the object instead of yielding it"
    )


def test_the_scope_of_a_value_cannot_be_chosen() -> None:
    with pytest.raises(TypeError, match="scope= goes with use_class and use_factory only"):
        provide("value", use_value=1, scope=Scope.TRANSIENT)
