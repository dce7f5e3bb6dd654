"""Brings the instances of a graph to life, what is needed before what needs it."""

import inspect
from collections.abc import Awaitable, Collection, Coroutine, Iterable, Iterator
from typing import Any

from dependency_injector import providers

from bullworks.core.durability import durability_problems
from bullworks.core.errors import AsyncFactoryError, WiringError
from bullworks.core.graph import Graph, needs
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.overrides import forget
from bullworks.core.problems import Problem
from bullworks.core.provide import UseSettings
from bullworks.core.request import CURRENT, Request, is_promise
from bullworks.core.scope import Scope
from bullworks.core.side_by_side import build_side_by_side
from bullworks.core.tokens import label
from bullworks.core.under_way import under_way
from bullworks.core.watched import Missing, TransientInstances, WatchedContextLocal
from bullworks.settings import Settings, SettingsError


def check(graph: Graph) -> None:
    """Refuse a graph with unresolved dependencies, or with problems that a module reports.

    Raises:
        WiringError: lists every problem.
        SettingsError: lists every setting that cannot be used.
        Exception: the one thing that a module's check found.
        ExceptionGroup: several of these.
    """
    wanted = graph.wanted()
    problems = dict.fromkeys(problem for entry in wanted for problem in problems_of(entry))
    problems |= dict.fromkeys(durability_problems(graph, wanted))
    errors: list[Exception] = [WiringError(list(problems))] if problems else []
    try:
        graph.settings.check(_settings_classes(wanted))
    except SettingsError as error:
        errors.append(error)
    errors.extend(error for look in graph.checks for error in look())
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"{graph.root.spec.name} cannot start", errors)


def _settings_classes(entries: Iterable[Entry]) -> list[type[Settings]]:
    recipes = (entry.binding.recipe for entry in entries if entry.binding is not None and not entry.is_overridden)
    return [recipe.cls for recipe in recipes if isinstance(recipe, UseSettings)]


def problems_of(entry: Entry) -> Iterator[Problem]:
    """List why an entry cannot be built, above all dependencies that nothing provides."""
    if entry.is_overridden:
        return
    if entry.abstract is not None:
        yield entry.abstract
    for dependency in entry.dependencies:
        if dependency.problem is not None and not _is_defined(dependency.target):
            yield dependency.problem


def build(graph: Graph) -> None:
    """Build every singleton that is not lazy, without an event loop.

    Raises:
        WiringError: the modules do not fit together.
        AsyncFactoryError: one of the factories has to be awaited.
    """
    check(graph)
    entries = graph.to_build()
    waiting = first_async(entries)
    if waiting is not None:
        raise AsyncFactoryError(label(waiting.token), label(waiting.token))
    for entry in _unbuilt(entries):
        _build_now(entry, graph)


async def build_async(graph: Graph, entries: Iterable[Entry] | None = None) -> None:
    """Build every singleton that is not lazy, or the given entries, awaiting async factories concurrently.

    Raises:
        WiringError: the modules do not fit together.
        ExceptionGroup: several factories failed, each for itself.
    """
    if entries is None:
        check(graph)
        entries = graph.to_build()
    entries = list(entries)
    await build_side_by_side(_unbuilt(entries), lambda entry: _begin(entry, graph), graph.root.spec.name)
    request = CURRENT.get()
    if request is not None:
        await _build_in(request, entries, graph)


def build_needs(entry: Entry, graph: Graph) -> Entry | None:
    """Build the singletons that an entry needs, one after another.

    Returns:
        the first that has to be awaited; nothing is built then.
    """
    if all(needed.is_built for needed in needs(entry)):
        return None
    entries = graph.order(needs(entry))
    waiting = first_async(entries)
    if waiting is None:
        for needed in _unbuilt(entries):
            _build_now(needed, graph)
    return waiting


def _build_now(entry: Entry, graph: Graph) -> None:
    with under_way(entry, graph) as parts:
        _keep(entry, entry.provider(), parts)


def _begin(entry: Entry, graph: Graph) -> Coroutine[None, None, None] | None:
    """Build an entry, or return the rest of the work if it has to be awaited."""
    with under_way(entry, graph) as parts:
        if entry.is_async and not entry.is_overridden:
            return _build_awaited(entry, graph)
        value = entry.provider()
        if not is_pending(entry, value):
            _keep(entry, value, parts)
            return None
    return _build_awaited(entry, graph, value, parts)  # an override's, or of what is TRANSIENT


async def _build_awaited(
    entry: Entry, graph: Graph, promise: Awaitable[object] | None = None, begun: TransientInstances | None = None
) -> None:
    """Await an entry's object; concurrent callers wait, and get the same."""
    async with graph.turns[entry]:
        if entry.is_built:
            return
        with under_way(entry, graph, begun) as parts:
            value = await (entry.provider.promise() if promise is None else promise)
            entry.provider.settle(value)
            _keep(entry, value, parts)


def first_async(entries: Iterable[Entry]) -> Entry | None:
    """Find the first unbuilt entry whose factory is async."""
    return next((e for e in entries if e.is_async and not e.is_overridden and not _exists(e)), None)


def is_pending(entry: Entry, value: object) -> bool:
    """Whether a provider returned an awaitable of its object instead of the object."""
    return inspect.isawaitable(value) and entry.provider.is_async_mode_enabled()


def built_instances(graph: Graph) -> list[tuple[Entry, object]]:
    """List the built instances in order, each once, without those of foreign containers."""
    seen: set[int] = set()
    found = []
    for entry in graph.order():
        if entry.is_built and entry.is_owned and id(entry.instance) not in seen:
            seen.add(id(entry.instance))
            found.append((entry, entry.instance))
    return found


def instances_with_parts(graph: Graph) -> list[tuple[Entry, object]]:
    """List the built instances in order, each preceded by the TRANSIENT instances made for it."""
    makers = {entry.provider: entry for entry in graph.entries()}
    seen: set[int] = set()
    found = []
    for entry, instance in built_instances(graph):
        for maker, made in (*((makers[provider], part) for provider, part in entry.parts), (entry, instance)):
            if id(made) not in seen:
                seen.add(id(made))
                found.append((maker, made))
    return found


async def close_resources(graph: Graph, errors: list[Exception], nodes: Collection[ModuleNode] | None = None) -> None:
    """Resume every generator factory, in the reverse order of their start, and forget all instances.

    An error goes to `errors` and stops nothing.

    Args:
        nodes: the modules whose providers are meant; all unless given.

    The library's own `shutdown_resources()` misses indirect dependencies and stops at the first error.
    """
    if nodes is None:
        errors += await graph.durable.close()
    entries = [entry for entry in graph.order() if nodes is None or entry.node in nodes]
    for entry in reversed(entries):
        provider = entry.provider
        if isinstance(provider, providers.BaseResource) and provider.initialized:
            try:
                closing: Any = provider.shutdown()
                if inspect.isawaitable(closing):
                    await closing
            except Exception as error:  # noqa: BLE001 - one that fails must not keep the others open
                error.add_note(f"while closing {label(entry.token)} of {' > '.join(graph.path(entry.node))}")
                errors.append(error)
    for entry in entries:
        forget(entry)
        entry.provider.reset_async_mode()


def _unbuilt(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (e for e in entries if e.scope is Scope.SINGLETON and e.binding is not None and not e.is_built)


async def _build_in(request: Request, entries: Iterable[Entry], graph: Graph) -> None:
    """Build what is REQUEST-scoped, for one request."""
    for entry in entries:
        provider = entry.provider
        if not isinstance(provider, WatchedContextLocal) or entry.is_overridden:
            continue
        owner = request.owner_of(provider)
        if not owner.holds(provider):
            with under_way(entry, graph):
                async with owner.turns[provider]:
                    made: Any = None if owner.holds(provider) else provider()
                    if is_promise(made):
                        owner.keep(provider, await made)


def _exists(entry: Entry) -> bool:
    """Whether its instance can be had without building it; a REQUEST-scoped one's is the current request's."""
    provider, request = entry.provider, CURRENT.get()
    if isinstance(provider, WatchedContextLocal) and request is not None:
        return request.owner_of(provider).holds(provider)
    return entry.is_built


def _is_defined(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.provider, Missing) and bool(entry.provider.is_defined)


def _keep(entry: Entry, value: object, parts: TransientInstances) -> None:
    entry.is_built, entry.instance, entry.parts = True, value, tuple(parts.made)
    parts.is_open = False
    if value is None:  # the library would call a factory that returned None again for each consumer
        entry.provider.settle(value)
