"""Factories that have to be awaited and do not need each other are awaited at the same time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.core import (
    BuildCircleError,
    Lazy,
    ModuleRef,
    Scope,
    create_application,
    dynamic_module,
    provide,
    side_by_side,
)


class App: ...


def an_app(*providers: Any) -> Any:
    return create_application(dynamic_module(App, providers=providers))


async def test_a_start_takes_as_long_as_its_longest_factory() -> None:
    """Each of five factories ends only when all five have begun."""
    together = asyncio.Barrier(5)

    async def connect() -> int:
        return await together.wait()

    async with an_app(*(provide(f"c{n}", use_factory=connect) for n in range(5))) as app:
        assert sorted(app.get(f"c{n}") for n in range(5)) == [0, 1, 2, 3, 4]


async def test_what_needs_a_factory_begins_when_that_one_has_ended_and_not_when_all_have() -> None:
    consumer_begun = asyncio.Event()

    async def quick() -> str:
        return "quick"

    async def consumer(it: str) -> str:
        consumer_begun.set()
        return f"consumer of {it}"

    async def slow() -> str:
        await consumer_begun.wait()
        return "slow"

    providers = [
        provide("slow", use_factory=slow),
        provide("quick", use_factory=quick),
        # a TRANSIENT in between
        provide("passed on", use_factory=str, inject=["quick"], scope=Scope.TRANSIENT),
        provide("consumer", use_factory=consumer, inject=["passed on"]),
        provide("both", use_factory=lambda *both: both, inject=["slow", "consumer"]),
    ]
    async with an_app(*providers) as app:
        assert app.get("both") == ("slow", "consumer of quick")


async def test_resources_close_in_the_reverse_of_their_order_whichever_opened_first() -> None:
    steps: list[str] = []
    second_open = asyncio.Event()

    async def first() -> AsyncIterator[str]:
        await second_open.wait()
        yield "first"
        steps.append("first closed")

    async def second() -> AsyncIterator[str]:
        second_open.set()
        yield "second"
        steps.append("second closed")

    async with an_app(provide("first", use_factory=first), provide("second", use_factory=second)):
        pass
    assert steps == ["second closed", "first closed"]


async def test_all_that_fail_are_told_in_the_order_of_the_providers() -> None:
    together = asyncio.Barrier(3)

    def failing(name: str) -> Any:
        async def connect() -> None:
            await together.wait()
            raise ConnectionError(f"{name} refused")

        return connect

    providers = [provide(name, use_factory=failing(name)) for name in ("redis", "postgres", "smtp")]
    with pytest.raises(ExceptionGroup, match="3 providers of App could not be built") as caught:
        await an_app(*providers)
    assert [str(error) for error in caught.value.exceptions] == ["redis refused", "postgres refused", "smtp refused"]
    notes = [error.__notes__ for error in caught.value.exceptions]
    assert notes == [[f"while building '{name}' of App"] for name in ("redis", "postgres", "smtp")]


async def test_once_one_has_failed_nothing_new_begins_and_what_opens_is_closed() -> None:
    steps: list[str] = []
    failed = asyncio.Event()

    async def fails() -> None:
        failed.set()
        raise ConnectionError("refused")

    async def opens() -> AsyncIterator[str]:
        await failed.wait()
        steps.append("opened")
        yield "it"
        steps.append("closed")

    providers = [
        provide("fails", use_factory=fails),
        provide("opens", use_factory=opens),
        provide("consumer", use_factory=lambda it: steps.append("consumer"), inject=["opens"]),
    ]
    with pytest.raises(ConnectionError, match="refused"):
        await an_app(*providers)
    assert steps == ["opened", "closed"]


async def test_once_one_has_failed_those_that_do_not_end_are_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "_LAST_WORDS_S", 0.01)
    ends: list[str] = []

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async def fails() -> None:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError, match="refused"):
        await an_app(provide("hangs", use_factory=hangs), provide("fails", use_factory=fails))
    assert ends == ["cancelled"]


async def test_a_start_that_is_cancelled_cancels_all_factories() -> None:
    together, ends = asyncio.Barrier(3), []

    async def hangs() -> None:
        await together.wait()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    starting = asyncio.create_task(an_app(*(provide(f"c{n}", use_factory=hangs) for n in range(2))).init())
    await together.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert ends == ["cancelled", "cancelled"]


async def test_five_tasks_that_resolve_one_lazy_provider_at_once_have_one_instance() -> None:
    made: list[object] = []

    async def connect() -> object:
        await asyncio.sleep(0)
        made.append(object())
        return made[-1]

    async with an_app(provide("connection", use_factory=connect, lazy=True)) as app:
        got = await asyncio.gather(*(app.resolve("connection") for _ in range(5)))
        assert all(each is made[0] for each in got)
        assert len(made) == 1


async def test_a_factory_that_awaits_what_needs_it_is_refused_in_words() -> None:
    async def connect(modules: ModuleRef) -> Any:
        return await modules.resolve("consumer")

    providers = [
        provide("connection", use_factory=connect),
        provide("consumer", use_factory=str, inject=["connection"], lazy=True),
    ]
    with pytest.raises(BuildCircleError) as caught:
        await an_app(*providers)
    assert str(caught.value) == (
        "'connection' was asked for while it was being built, by 'connection': ask for it later, when it is used or "
        "in on_module_init, not in a constructor or a factory"
    )


def test_a_constructor_that_asks_for_what_needs_it_is_refused_in_words() -> None:
    class Owner:
        def __init__(self, child: Lazy["Child"]) -> None:
            child()

    class Child:
        def __init__(self, owner: Owner) -> None: ...

    Owner.__init__.__annotations__["child"] = Lazy[Child]
    container = dynamic_module(App, providers=[Child, Owner])
    for act in (container.build, lambda: container.get(Child), lambda: container.get(Owner)):
        with pytest.raises(BuildCircleError, match="was asked for while it was being built"):
            act()


async def test_a_task_that_a_factory_leaves_behind_may_wait_for_what_it_makes() -> None:
    left: list[asyncio.Task[Any]] = []

    async def serve(modules: ModuleRef) -> str:
        left.append(asyncio.create_task(modules.resolve("handler")))
        await asyncio.sleep(0)
        return "server"

    providers = [
        provide("server", use_factory=serve),
        provide("handler", use_factory=lambda server: f"handler of {server}", inject=["server"], lazy=True),
    ]
    async with an_app(*providers):
        assert await left[0] == "handler of server"
