"""Links modules into a graph: decides what serves each parameter, and has the providers made."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from bullworks.core.companions import companions_of
from bullworks.core.compiling import compile_entry, compile_missing
from bullworks.core.durability import spread_durability
from bullworks.core.durable_contexts import ContextStrategy
from bullworks.core.graph import Graph, needs
from bullworks.core.hints import hint_for
from bullworks.core.naming import is_free, made_up_name, name_entry
from bullworks.core.nesting import deep_singletons, find_deep_nesting
from bullworks.core.node import Dependency, Entry, ModuleNode
from bullworks.core.problems import AbstractClass, Cycle, Problem, UnresolvedParameter
from bullworks.core.provide import (
    Binding,
    UseClass,
    UseExisting,
    UseFactory,
    UseProvider,
    UseSettings,
    UseValue,
    bind_class,
)
from bullworks.core.scope import Scope
from bullworks.core.signature import Parameter, aliased_parameter, listed_parameters, read_parameters
from bullworks.core.tokens import label, snake_case
from bullworks.core.visibility import duplicate_exports, unknown_exports, visible_entries
from bullworks.core.walking import dependencies_first, find_cycles
from bullworks.core.watched import Missing

Ambient = Mapping[type[Any], Callable[[ModuleNode, "Linker"], object]]
"""What every module has without providing it, made when first asked for: the object, or a binding of it."""


class Linker:
    """Links a tree of modules into one graph."""

    def __init__(self, graph: Graph, ambient: Ambient) -> None:
        self.graph = graph
        self._ambient = ambient

    def link(self, added: Collection[ModuleNode] | None = None) -> Iterator[Problem]:
        """Connect, scope and compile all entries.

        Args:
            added: the modules whose entries they are, where the others are linked already.

        Yields:
            what is wrong whatever is overridden later; nothing is compiled then.
        """
        graph = self.graph
        nodes = graph.nodes if added is None else added
        global_nodes = [node for node in graph.nodes if node.spec.is_global]
        for node in nodes:
            yield from unknown_exports(node)
            graph.duplicates.extend(duplicate_exports(node))
            graph.visible[node] = visible_entries(node, [other for other in global_nodes if other is not node])
        for entry in _entries_of(nodes):
            yield from self._accompany(entry)
        for entry in _entries_of(nodes):
            self.connect(entry)
        cycles = [_cycle(circle, graph) for circle in find_cycles(graph.entries(), needs)]
        yield from cycles
        if not cycles:
            _spread_request_scope(list(graph.entries()))
            is_any_durable = any(entry.is_durable for entry in graph.entries())
            graph.strategy = next(iter(graph.providing(ContextStrategy)), None) if is_any_durable else None
            too_deep = find_deep_nesting(graph)
            if too_deep is not None:
                yield too_deep
            deep = deep_singletons(graph)
            graph.changed()
            for entry in graph.order():
                if entry.binding is not None and entry.node in nodes:
                    compile_entry(entry, entry.binding, graph, is_deep=entry in deep)

    def connect(self, entry: Entry) -> None:
        """Resolve each of an entry's parameters to a provider."""
        entry.abstract = self._abstract(entry)
        parameters = _parameters(entry.binding)
        for parameter in parameters:
            entry.dependencies.append(self._serve(entry, parameter, parameters))
        given_up = [self._find_visible(entry.node, parameter) for parameter in _parameters(entry.replaced)]
        entry.given_up = [target for target in given_up if target is not None]

    def _accompany(self, entry: Entry) -> Iterator[Problem]:
        """Find what serves each class that an entry's class needs beside it, or provide it in the entry's module."""
        node, visible = entry.node, self.graph.visible[entry.node]
        cls = _class_of(entry)
        for companion in () if cls is None else companions_of(cls):
            if companion not in visible:
                added = Entry(companion, node, bind_class(companion))
                bad_name = name_entry(added, node)
                if bad_name is not None:
                    yield bad_name
                node.entries[companion] = visible[companion] = added
            entry.companions[companion] = visible[companion]

    def _abstract(self, entry: Entry) -> AbstractClass | None:
        recipe = None if entry.binding is None else entry.binding.recipe
        if not isinstance(recipe, UseClass):
            return None
        lacks = tuple(sorted(getattr(recipe.cls, "__abstractmethods__", ())))
        if not lacks and not vars(recipe.cls).get("_is_protocol", False):
            return None
        return AbstractClass(label(entry.token), label(recipe.cls), self.graph.path(entry.node), lacks)

    def _serve(self, entry: Entry, parameter: Parameter, parameters: tuple[Parameter, ...]) -> Dependency:
        target = self._find_visible(entry.node, parameter)
        if target is not None or parameter.has_default or (parameter.is_optional and parameter.token is not None):
            return Dependency(parameter, target)
        visible = self.graph.visible[entry.node]
        missing = self._missing(entry, parameter)
        problem = UnresolvedParameter(
            consumer=label(entry.token),
            parameters=tuple("?" if other is parameter else other.name for other in parameters),
            parameter=parameter.text,
            path=self.graph.path(entry.node),
            visible=tuple(sorted(label(token) for token in visible if token is not entry.node.spec.cls)),
            hint=hint_for(entry, parameter, visible, self.graph, missing.attribute),
        )
        if not isinstance(missing.provider, Missing):
            compile_missing(missing, problem, self.graph)
        return Dependency(parameter, missing, problem)

    def _find_visible(self, node: ModuleNode, parameter: Parameter) -> Entry | None:
        token, visible = parameter.token, self.graph.visible[node]
        if token is None:
            return None
        if token not in visible and isinstance(token, type) and token in self._ambient:
            made = self._ambient[token](node, self)
            entry = Entry(token, node, made if isinstance(made, Binding) else Binding(token, UseValue(made)))
            node.entries[token] = visible[token] = entry
            if not is_free(entry.attribute, node):
                entry.attribute = made_up_name(entry.attribute, node)
            node.shown[entry.attribute] = entry
            self.graph.changed()
        return visible.get(token)

    def _missing(self, consumer: Entry, parameter: Parameter) -> Entry:
        """The entry that stands for a missing provider, so that an override can define it."""
        node, token = consumer.node, parameter.token
        private = snake_case(f"{consumer.attribute}_{parameter.name}")
        if token is None or (isinstance(token, type) and token.__module__ == "builtins"):
            token = private
        if token not in node.missing:
            # one entry for the whole application: overriding it once serves all who miss it
            known = next((other.missing[token] for other in self.graph.nodes if token in other.missing), None)
            if known is None:
                known = Entry(token, node, None)
                if not is_free(known.attribute, node):
                    known.attribute = made_up_name(private, node)
                node.shown[known.attribute] = known
            node.missing[token] = known
        return node.missing[token]


def _entries_of(nodes: Iterable[ModuleNode]) -> list[Entry]:
    return [entry for node in nodes for entry in node.entries.values()]


def _class_of(entry: Entry) -> type[Any] | None:
    """The class of an entry's instances, as far as its binding says it."""
    match entry.binding.recipe if entry.binding is not None else None:
        case UseClass(cls):
            return cls
        case UseValue(value):
            return type(value)
        case UseFactory() if isinstance(entry.token, type):
            return entry.token
        case _:
            return None


def _parameters(binding: Binding | None) -> tuple[Parameter, ...]:
    """What a binding's class or factory asks for."""
    match binding.recipe if binding is not None else None:
        case UseClass(cls):
            return read_parameters(cls)
        case UseFactory(function, inject):
            return read_parameters(function) if inject is None else listed_parameters(inject)
        case UseExisting(token):
            return (aliased_parameter(token),)
        case UseValue() | UseProvider() | UseSettings() | None:
            return ()


def _spread_request_scope(entries: Iterable[Entry]) -> None:
    """Make REQUEST-scoped what is built with something REQUEST-scoped: it can't outlive it."""
    bound: set[Entry] = set()
    ordered = list(dependencies_first(entries, needs))
    for entry in ordered:
        if entry.scope is Scope.REQUEST or not bound.isdisjoint(needs(entry)):
            bound.add(entry)
    for entry in bound:
        if entry.scope is Scope.SINGLETON:
            entry.scope = Scope.REQUEST
    spread_durability(ordered)


def _cycle(circle: list[Entry], graph: Graph) -> Cycle:
    names = tuple(label(member.token) for member in circle)
    asking, parameter = None, ""
    for entry, needed in itertools.pairwise(circle):
        if entry.binding is not None and not isinstance(entry.binding.recipe, UseExisting):
            served = next(each.parameter for each in entry.dependencies if each.target is needed)
            asking, parameter = label(entry.token), served.as_lazy()
            break
    return Cycle(names, graph.path(circle[0].node), asking, parameter)
