"""Assembles an application's containers from module classes, `for_root()` containers and foreign containers."""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from dependency_injector import containers, providers

from bullworks.core.building import problems_of
from bullworks.core.container import RESERVED_NAMES, ModuleContainer, graph_of, node_of
from bullworks.core.discovery import Discovery
from bullworks.core.durable_contexts import ContextKey, current_key
from bullworks.core.errors import WiringError
from bullworks.core.graph import Graph
from bullworks.core.lazy_modules import Extension, LazyModuleLoader
from bullworks.core.linking import Ambient, Linker
from bullworks.core.module import ForwardRef, ModuleSpec, spec_of
from bullworks.core.module_ref import ModuleRef
from bullworks.core.naming import name_entry
from bullworks.core.nesting import MOST_NESTED
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import (
    BadImport,
    BadProvider,
    GlobalTooLate,
    ImportedTooDeep,
    NotAModule,
    NotAProvider,
    Problem,
    ProvidedTwice,
)
from bullworks.core.provide import Binding, UseFactory, UseProvider, bind_class, bind_provider, provided_class
from bullworks.core.scope import Scope
from bullworks.core.shutdown import Shutdown
from bullworks.core.substitutes import Substitutes
from bullworks.core.tokens import AnyToken, RepeatableToken, label, snake_case

_AMBIENT: Ambient = {
    ModuleRef: ModuleRef,
    Discovery: lambda _node, linker: Discovery(linker.graph),
    ContextKey: lambda _node, _linker: Binding(
        ContextKey, UseFactory(current_key, ()), Scope.REQUEST, lazy=True, durable=True
    ),
    LazyModuleLoader: lambda _node, linker: LazyModuleLoader(linker, _extend),
    Shutdown: lambda _node, linker: linker.graph.shutdown,
}


def assemble(module: type[Any] | ModuleSpec, substitutes: Substitutes | None = None) -> ModuleContainer:
    """Assemble the container of a module and of all its imports: linked, with nothing built.

    What is merely missing may still be overridden; it is reported when the application is built.

    Args:
        substitutes: what stands in for providers and modules; one for a token that no module provides is visible in
            all of them.

    Raises:
        WiringError: the modules do not fit together, whatever is overridden; lists every problem.
    """
    return _Assembly(substitutes or Substitutes()).assemble(module)


def _extend(graph: Graph, module: Any) -> Extension:
    return _Assembly(graph.substitutes, graph.nodes).extend(graph, module)


class _Assembly:
    """One run of `assemble`: an application holds each module once."""

    def __init__(self, substitutes: Substitutes, present: Iterable[ModuleNode] = ()) -> None:
        self._substitutes = substitutes
        self._nodes: dict[Hashable, ModuleNode] = {node.spec.identity: node for node in present}
        self._recipes: dict[Graph, None] = {}
        self._problems: list[Problem] = []
        self._depth = 0

    def assemble(self, module: type[Any] | ModuleSpec) -> ModuleContainer:
        spec = module if isinstance(module, ModuleSpec) else spec_of(module)
        if spec is None:
            raise WiringError([BadImport("The application", _describe(module), _reason(module))])
        root = self._node_of(spec)
        if self._substitutes.unused_providers:
            root.imports.append(self._node_of(self._substitutes.as_module()))
        graph = Graph(root)
        graph.substitutes = self._substitutes
        self._problems.extend(Linker(graph, _AMBIENT).link())
        if self._problems:
            missing = (problem for entry in graph.entries() for problem in problems_of(entry))
            raise WiringError(list(dict.fromkeys([*self._problems, *missing])))
        return self._complete(graph, graph.nodes)[root]

    def extend(self, graph: Graph, module: Any) -> Extension:
        """Link a module, and what it imports, into a graph that has others."""
        importer = ModuleNode(ModuleSpec("LazyModuleLoader"))
        root = self._import(importer, module)
        added = () if root is None else graph.add(root)
        known = len(graph.checks), len(graph.duplicates), len(graph.recipes)

        def undo() -> None:
            graph.remove(added)
            graph.let_go(graph.recipes[known[2] :])
            del graph.checks[known[0] :], graph.duplicates[known[1] :], graph.recipes[known[2] :]

        for node in added:
            node.is_late = True
            if node.spec.is_global:
                self._problems.append(GlobalTooLate(node.spec.name, graph.path(node)))
        try:
            self._problems.extend(Linker(graph, _AMBIENT).link(added))
            if root is None or self._problems:
                raise WiringError(list(dict.fromkeys(self._problems)))
            self._complete(graph, added)
        except BaseException:
            undo()
            raise
        return Extension(root, added, tuple(graph.duplicates[known[1] :]), undo)

    def _complete(self, graph: Graph, nodes: Collection[ModuleNode]) -> dict[ModuleNode, ModuleContainer]:
        """Show modules that were linked, with their checks and with what is overridden in their recipes."""
        discovery = Discovery(graph)
        checks = dict.fromkeys(check for node in nodes for check in node.spec.checks)
        graph.checks.extend(partial(check, discovery) for check in checks)
        made = _show(graph, nodes)
        graph.recipes.extend(recipe for recipe in self._recipes if recipe not in graph.recipes)
        for recipe in self._recipes:
            self._carry_overrides(recipe, graph, nodes)
        graph.open()
        return made

    def _node_of(self, spec: ModuleSpec) -> ModuleNode:
        if spec.identity in self._nodes:
            return self._nodes[spec.identity]
        node = self._nodes[spec.identity] = ModuleNode(spec)
        if self._depth == MOST_NESTED:
            self._problems.append(ImportedTooDeep(spec.name, MOST_NESTED))
            return node
        self._depth += 1
        if spec.cls is not None:
            self._add(node, bind_class(spec.cls))
        for provider in spec.providers:
            if isinstance(provider, Binding):
                self._add(node, provider)
            elif isinstance(provider, type) and spec_of(provider) is None:
                self._add(node, bind_class(provider))
            elif isinstance(provider, providers.Provider) and (provided := provided_class(provider)) is not None:
                self._add(node, bind_provider(provider, provided))
            else:
                self._problems.append(BadProvider(spec.name, _describe(provider), _kind(provider)))
        for reference in spec.imports:
            imported = self._import(node, reference)
            if imported is not None and imported not in node.imports:
                node.imports.append(imported)
        for export in spec.exports:
            node.exports.extend(self._resolve_export(node, export))
        self._depth -= 1
        return node

    def _add(self, node: ModuleNode, given: Binding) -> None:
        binding = self._substitutes.binding(given, given.token)
        token = _numbered(binding.token, node)
        if token in node.entries:
            self._problems.append(ProvidedTwice(label(token), node.spec.name))
            return
        # also when its name is bad: whatever needs it would be reported as well, which hides the cause
        replaced = None if binding is given else given
        entry = node.entries[token] = Entry(token, node, binding, replaced=replaced)
        bad_name = name_entry(entry, node)
        if bad_name is not None:
            self._problems.append(bad_name)

    def _import(self, importer: ModuleNode, reference: Any) -> ModuleNode | None:
        if isinstance(reference, ForwardRef):
            reference = reference.target()
        reference = self._substitute(reference)
        if isinstance(reference, ModuleContainer):
            # a recipe: this application gets a copy, so that nothing done to it reaches the next application
            self._recipes[graph_of(reference)] = None
            return self._node_of(node_of(reference).spec)
        if isinstance(reference, containers.DynamicContainer):
            return self._foreign(reference)
        spec = spec_of(reference)
        if spec is None:
            self._problems.append(BadImport(importer.spec.name, _describe(reference), _reason(reference)))
            return None
        return self._node_of(spec)

    def _substitute(self, reference: Any) -> Any:
        """What is imported, or exported, where a module names this one."""
        spec = node_of(reference).spec if isinstance(reference, ModuleContainer) else spec_of(reference)
        return reference if spec is None else self._substitutes.module(reference, spec)

    def _resolve_export(self, node: ModuleNode, export: Any) -> list[AnyToken | ModuleNode]:
        if isinstance(export, ForwardRef):
            export = export.target()
        export = self._substitute(export)
        if isinstance(export, Binding):
            return [export.token]
        if isinstance(export, ModuleContainer):
            export = node_of(export).spec.identity
        spec = spec_of(export)
        known = self._nodes.get(export if spec is None else spec.identity)
        # several imports may come from one class: BullModule.for_root() and BullModule.register_queue()
        modules = [other for other in node.imports if other is known or other.spec.cls is export]
        return list(modules) if modules and export not in node.entries else [export]

    def _foreign(self, container: containers.DynamicContainer) -> ModuleNode:
        """A user's own container as a module: its providers by name and by class, all exported."""
        if container in self._nodes:
            return self._nodes[container]
        declared: type[Any] | None = getattr(container, "declarative_parent", None)
        node = ModuleNode(ModuleSpec((declared or type(container)).__name__, key=container))
        self._nodes[container] = node
        classes = [provided_class(provider) for provider in container.providers.values()]
        for name, provider in container.providers.items():
            provided = provided_class(provider)
            tokens: list[AnyToken] = [name]
            if provided is not None and classes.count(provided) == 1:
                tokens.append(provided)
            is_local = isinstance(provider, providers.ContextLocalSingleton)
            scope = Scope.REQUEST if is_local else Scope.SINGLETON
            given = Binding(name, UseProvider(provider), scope, lazy=True)
            binding = self._substitutes.binding(given, *tokens)
            entry = Entry(tokens[-1], node, binding, name)
            node.entries.update((token, entry) for token in tokens)
            node.exports.extend(tokens)
        return node

    def _carry_overrides(self, recipe: Graph, graph: Graph, nodes: Collection[ModuleNode]) -> None:
        """Override in the copy what is overridden in the recipe at this moment."""
        for original in recipe.nodes:
            copy = self._nodes.get(original.spec.identity)
            if copy is None or copy not in nodes:  # another module is in its place, or it was there before
                continue
            for entry in dict.fromkeys((*original.entries.values(), *original.missing.values())):
                target = graph.visible[copy].get(entry.token) or copy.missing.get(entry.token)
                for overriding in entry.provider.overridden:
                    if target is not None:
                        target.provider.override(overriding)


def _numbered(token: AnyToken, node: ModuleNode) -> AnyToken:
    """The token under which a module has what it provides; of one that may be repeated, the first that is free."""
    while isinstance(token, RepeatableToken) and token in node.entries:
        token = replace(token, number=token.number + 1)
    return token


def _show(graph: Graph, nodes: Collection[ModuleNode]) -> dict[ModuleNode, ModuleContainer]:
    """Make the containers of modules; those of imported modules are attributes of their importers'."""
    made = {node: ModuleContainer(node, graph) for node in nodes}
    graph.containers.update(made)
    for node, container in made.items():
        for entry in (*node.entries.values(), *node.missing.values()):
            if entry.attribute not in RESERVED_NAMES and entry.attribute not in container.providers:
                container.set_provider(entry.attribute, entry.provider)
    for node, container in made.items():
        for imported in node.imports:
            name = snake_case(imported.spec.name)
            if imported is not graph.root and name not in RESERVED_NAMES and name not in container.providers:
                container.set_provider(name, providers.Container(ModuleContainer, graph.containers[imported]))
    return made


def _describe(thing: object) -> str:
    return label(thing) if isinstance(thing, type) else repr(thing)


def _kind(provider: object) -> NotAProvider:
    if isinstance(provider, type | containers.DynamicContainer):
        return NotAProvider.MODULE
    return NotAProvider.NAMELESS if isinstance(provider, providers.Provider) else NotAProvider.OTHER


def _reason(thing: object) -> NotAModule:
    if thing is None:
        return NotAModule.NONE
    if containers.is_container(thing):
        return NotAModule.CONTAINER_CLASS
    return NotAModule.UNDECORATED if isinstance(thing, type) else NotAModule.OTHER
