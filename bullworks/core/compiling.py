"""Makes the dependency-injector provider of an entry, with its arguments."""

import functools
from typing import Any

from dependency_injector import providers

from bullworks.core.building import build_needs
from bullworks.core.graph import Graph
from bullworks.core.markers import Lazy
from bullworks.core.node import Dependency, Entry
from bullworks.core.overrides import EntryWatch
from bullworks.core.problems import UnresolvedParameter
from bullworks.core.provide import Binding, UseClass, UseExisting, UseFactory, UseProvider, UseSettings, UseValue
from bullworks.core.request import open_managed
from bullworks.core.resolver import value_of
from bullworks.core.scope import Scope
from bullworks.core.tokens import label
from bullworks.core.watched import (
    Missing,
    WatchedContextLocal,
    WatchedFactory,
    WatchedLink,
    WatchedObject,
    WatchedProvider,
    WatchedResource,
    WatchedSingleton,
)


def compile_missing(entry: Entry, problem: UnresolvedParameter, graph: Graph) -> None:
    """Give each unprovided dependency a provider that explains the problem when called."""
    entry.provider = missing = Missing()
    missing.problem = problem
    missing.observer = EntryWatch(entry, graph)


def compile_entry(entry: Entry, binding: Binding, graph: Graph, *, is_deep: bool = False) -> None:
    """Create the provider of an entry; its dependencies must have theirs already.

    Args:
        is_deep: it is at the end of a chain too long for each to be built inside the next.
    """
    name = label(entry.token)
    entry.provider = provider = _provider(binding, entry.scope, name, graph)
    if isinstance(provider, WatchedContextLocal):
        provider.name = name
        provider.is_durable = entry.is_durable
    if isinstance(provider, WatchedSingleton) and is_deep:
        provider.prepare = functools.partial(build_needs, entry, graph)
    provider.observer = EntryWatch(entry, graph)
    if isinstance(provider, WatchedSingleton | WatchedFactory | WatchedContextLocal | WatchedResource | WatchedLink):
        given = [d for d in entry.dependencies if d.target is not None or not d.parameter.has_default]
        provider.add_args(*(_argument(d, graph) for d in given if d.parameter.is_positional))
        provider.add_kwargs(**{d.parameter.name: _argument(d, graph) for d in given if not d.parameter.is_positional})


def _provider(binding: Binding, scope: Scope, name: str, graph: Graph) -> WatchedProvider:
    match binding.recipe:
        case UseValue(value):
            return WatchedObject(value)
        case UseSettings(settings):
            return WatchedSingleton(lambda: graph.settings[settings])
        case UseExisting():
            return WatchedLink(_same)
        case UseProvider(provider):
            return WatchedLink(_same, provider)
        case UseFactory(function) as factory if factory.is_generator:
            return (
                WatchedResource(function)
                if scope is Scope.SINGLETON
                else _of_scope(scope, open_managed(function, name))
            )
        case UseFactory(make) | UseClass(make):
            return _of_scope(scope, make)


def _of_scope(scope: Scope, make: Any) -> WatchedProvider:
    match scope:
        case Scope.SINGLETON:
            return WatchedSingleton(make)
        case Scope.TRANSIENT:
            return WatchedFactory(make)
        case Scope.REQUEST:
            return WatchedContextLocal(make)


def _argument(dependency: Dependency, graph: Graph) -> Any:
    """What the library passes for a parameter: another provider, or a plain value."""
    target = dependency.target
    if target is None:
        return None
    if dependency.parameter.is_lazy:
        return providers.Object(Lazy(functools.partial(value_of, target, graph)))
    return target.provider


def _same(value: Any) -> Any:
    return value
