"""Chains of thousands of providers: built in a row, or refused in words; never a RecursionError."""

import gc
import random
import weakref
from typing import Any

import pytest

from bullworks.core import Scope, WiringError, create_application, dynamic_module, module, provide

LENGTH = 2_000


class App: ...


def a_chain(length: int, scope: Scope = Scope.SINGLETON, *, lazy: bool = False) -> tuple[list[Any], type[Any]]:
    """Providers that each need the one before, in random order, and the last of them."""
    made: list[Any] = []
    needed: type[Any] | None = None
    for number in range(length):

        def init(self: Any, needed: Any = None) -> None:
            self.needed = needed

        if needed is not None:
            init.__annotations__["needed"] = needed
        needed = type(f"P{number}", (), {"__init__": init})
        made.append(provide(needed, use_class=needed, scope=scope, lazy=lazy))
    assert needed is not None
    random.Random(1).shuffle(made)
    return made, needed


def length_of(last: Any) -> int:
    count = 0
    while last is not None:
        count, last = count + 1, last.needed
    return count


async def test_a_start_builds_2000_singletons_in_a_row() -> None:
    providers, last = a_chain(LENGTH)
    async with create_application(dynamic_module(App, providers=providers)) as app:
        assert length_of(app.get(last)) == LENGTH


@pytest.mark.parametrize("ask", ["get", "resolve", "library"])
async def test_who_asks_for_the_last_of_2000_lazy_singletons_gets_it(ask: str) -> None:
    providers, last = a_chain(LENGTH, lazy=True)
    container = dynamic_module(App, providers=providers)
    if ask == "resolve":
        made = await container.resolve(last)
    else:
        made = container.get(last) if ask == "get" else container.p1999()
    assert length_of(made) == LENGTH


async def test_2000_async_factories_in_a_row_are_awaited_one_after_the_other() -> None:
    async def count(before: int = 0) -> int:
        return before + 1

    providers = [provide("n0", use_factory=count, inject=[])]
    providers += [provide(f"n{n}", use_factory=count, inject=[f"n{n - 1}"]) for n in range(1, LENGTH)]
    async with create_application(dynamic_module(App, providers=providers[::-1])) as app:
        assert app.get(f"n{LENGTH - 1}") == LENGTH


@pytest.mark.parametrize("scope", [Scope.TRANSIENT, Scope.REQUEST])
async def test_what_is_made_inside_each_other_2000_deep_is_refused_in_words(scope: Scope) -> None:
    providers, _ = a_chain(LENGTH, scope)
    with pytest.raises(WiringError) as caught:
        dynamic_module(App, providers=providers)
    assert str(caught.value) == (
        "P1999 in App is at the end of 2,000 providers that are each made inside the next: "
        "P1999 -> P1998 -> P1997 -> ... -> P0.\n"
        "  Hint: TRANSIENT and REQUEST-scoped providers and use_existing may nest 100 deep; make one of them "
        "a SINGLETON, or take it as Lazy[...]."
    )


def test_so_are_2000_names_for_names() -> None:
    providers = [provide("0", use_value="it")]
    providers += [provide(str(n), use_existing=str(n - 1)) for n in range(1, LENGTH)]
    with pytest.raises(WiringError, match=r"'1999' in App is at the end of 1,999 providers"):
        dynamic_module(App, providers=providers)


@pytest.mark.parametrize("scope", [Scope.TRANSIENT, Scope.REQUEST])
async def test_100_of_them_are_made(scope: Scope) -> None:
    providers, last = a_chain(100, scope)
    async with create_application(dynamic_module(App, providers=providers)) as app, app.request():
        assert length_of(await app.resolve(last)) == length_of(app.get(last)) == 100


def test_a_circle_of_2000_is_refused_in_words() -> None:
    providers = [provide(str(n), use_factory=str, inject=[str((n + 1) % LENGTH)]) for n in range(LENGTH)]
    with pytest.raises(WiringError, match=r"Circular dependency in App: '0' -> '1' -> .* -> '1999' -> '0'"):
        dynamic_module(App, providers=providers)


def test_what_only_an_overridden_provider_needs_is_found_2000_deep() -> None:
    built: list[str] = []

    def build(before: str = "") -> str:
        built.append(before)
        return before

    providers = [provide("a0", use_factory=build, inject=[])]
    providers += [provide(f"a{n}", use_factory=build, inject=[f"a{n - 1}"]) for n in range(1, LENGTH)]
    container = dynamic_module(App, providers=providers)
    container.a1999.override("fake")
    container.build()
    assert container.get("a1999") == "fake"
    assert built == []


def test_2000_modules_in_a_row_are_refused_in_words() -> None:
    imports: list[Any] = []
    for number in range(LENGTH):
        imports = [module(imports=imports)(type(f"M{number}", (), {}))]
    with pytest.raises(WiringError) as caught:
        dynamic_module(App, imports=imports)
    assert str(caught.value) == (
        "M1900 is at the end of more than 100 modules that each import the next.\n"
        "  Hint: import some of them in the root module, and make what all of them use a global module."
    )


async def test_a_chain_that_nobody_holds_any_more_is_freed() -> None:
    providers, last = a_chain(LENGTH)
    async with create_application(dynamic_module(App, providers=providers)) as app:
        freed = weakref.ref(app.get(last))
    del app, providers
    gc.collect()
    assert freed() is None
