"""The dependency-injector container that shows one module."""

from typing import Any

from dependency_injector import containers, providers
from dependency_injector.errors import Error

from bullworks.core.building import build, build_async, check
from bullworks.core.errors import AmbiguousProviderError, UnknownProviderError
from bullworks.core.graph import Graph, leaf_first
from bullworks.core.hints import nearest
from bullworks.core.node import ModuleNode
from bullworks.core.resolver import Resolver
from bullworks.core.tokens import snake_case


class ModuleContainer(Resolver, containers.DynamicContainer):
    """One module, as a dependency-injector container.

    `providers`, `override_providers()`, `wire()`, `reset_singletons()` and `traverse()` work as in any
    container. An attribute that the module itself lacks is looked for in all that it imports:
    `container.mail_service.override(mock)`.
    """

    def __init__(self, node: ModuleNode, graph: Graph) -> None:
        super().__init__()
        self._node = node
        self._graph = graph

    def __deepcopy__(self, memo: dict[str, Any] | None) -> Any:
        raise Error(
            f"{self._node.spec.name} can't be copied into a DeclarativeContainer; "
            "pass that container to imports=[...] instead"
        )

    def __repr__(self) -> str:
        return f"<ModuleContainer {self._node.spec.name}>"

    def __getattr__(self, name: str) -> providers.Provider[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        nodes = leaf_first(self._node)
        children = [node for node in nodes if node is not self._node and snake_case(node.spec.name) == name]
        if len(children) == 1:
            return providers.Container(ModuleContainer, self._graph.containers[children[0]])
        found = [entry for node in nodes for entry in node.entries.values() if entry.attribute == name]
        found = found or [entry for node in nodes for entry in node.missing.values() if entry.attribute == name][:1]
        owners = list(dict.fromkeys(entry.node.spec.name for entry in found))
        if len({id(entry) for entry in found}) > 1:
            raise AmbiguousProviderError(repr(name), owners)
        if found:
            return found[0].provider
        known = sorted({entry.attribute for node in nodes for entry in node.entries.values()})
        raise UnknownProviderError(repr(name), self._node.spec.name, nearest(name, known), known)

    def build(self) -> "ModuleContainer":
        """Build every singleton that is not lazy, dependencies first; for graphs without async factories.

        Raises:
            WiringError: the modules do not fit together; lists every problem.
            AsyncFactoryError: a factory has to be awaited.
        """
        build(self._graph)
        return self

    async def build_async(self) -> "ModuleContainer":
        """Build every singleton that is not lazy, awaiting async factories."""
        await build_async(self._graph)
        return self

    def check_dependencies(self) -> None:
        """Check that all dependencies can be resolved. Raises WiringError, which lists every problem."""
        check(self._graph)

    def reset_override(self) -> None:
        """Reset every override, here and in all imported modules."""
        for node in leaf_first(self._node):
            for entry in (*node.entries.values(), *node.missing.values()):
                entry.provider.reset_override()


RESERVED_NAMES = frozenset(dir(containers.DynamicContainer()) + dir(ModuleContainer)) | {"parent"}
"""Attributes that a container needs for itself; a provider there would break it silently."""


def graph_of(container: ModuleContainer) -> Graph:
    """Return the graph that a container belongs to."""
    return container._graph  # noqa: SLF001


def node_of(container: ModuleContainer) -> ModuleNode:
    """Return the module behind a container."""
    return container._node  # noqa: SLF001
