"""Finds decorated classes and methods among all instances of an application."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.core.building import built_instances
from app.core.graph import Graph
from app.core.provide import UseClass, UseExisting, UseProvider, UseValue
from app.core.tokens import AnyToken, label


@dataclass(frozen=True, slots=True)
class DiscoveredProvider:
    """One provider of the application, whether or not it has been built.

    Args:
        token: what it is known by.
        path: the modules from the root to its own, then the provider.
        instance: what it provides, an override included; None while it is not built.
        made_from: the class that its instances are of; None while nobody can tell.
        is_given: it was made elsewhere, by the user or by a test, and is not the application's to close.
        is_built: false for lazy providers that nobody needed, and for those of a shorter scope.
    """

    token: AnyToken
    path: tuple[str, ...]
    instance: object
    made_from: type[Any] | None
    is_given: bool
    is_built: bool


@dataclass(frozen=True, slots=True)
class DiscoveredClass:
    """An instance whose class carries the metadata looked for.

    Args:
        instance: the instance.
        metadata: what the decorator left on the class.
        path: the modules from the root to its own, then the provider.
    """

    instance: object
    metadata: Any
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscoveredMethod:
    """A method that carries the metadata looked for.

    Args:
        instance: the instance it belongs to.
        method: the method, bound to the instance.
        name: the method's name.
        metadata: what the decorator left on the method.
    """

    instance: object
    method: Callable[..., Any]
    name: str
    metadata: Any


class Discovery:
    """Injectable: searches what has been built, in all modules of the application.

    A mock that stands in for a provider carries no metadata and is not found.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def providers(self) -> Iterator[DiscoveredProvider]:
        """Every provider that a module lists, leaf modules first."""
        for entry in self._graph.entries():
            recipe = None if entry.binding is None else entry.binding.recipe
            made_from: type[Any] | None = None
            if entry.is_built:
                made_from = type(entry.instance)
            elif isinstance(recipe, UseClass) and not entry.is_overridden:
                made_from = recipe.cls
            path = (*self._graph.path(entry.node), label(entry.token))
            is_given = entry.is_overridden or isinstance(recipe, UseValue | UseExisting | UseProvider)
            yield DiscoveredProvider(entry.token, path, entry.instance, made_from, is_given, entry.is_built)

    def classes(self, attribute: str) -> Iterator[DiscoveredClass]:
        """Instances whose own class has the attribute; a subclass of a decorated class has not."""
        for entry, instance in built_instances(self._graph):
            metadata = vars(type(instance)).get(attribute)
            if metadata is not None:
                path = (*self._graph.path(entry.node), label(entry.token))
                yield DiscoveredClass(instance, metadata, path)

    def methods(self, attribute: str) -> Iterator[DiscoveredMethod]:
        """Methods, of all instances, that have the attribute."""
        for _, instance in built_instances(self._graph):
            yield from methods_of(instance, attribute)


def methods_of(instance: object, attribute: str) -> Iterator[DiscoveredMethod]:
    """The methods of an instance that have the attribute, those of base classes included.

    Found on the classes: `getattr` on the instance would run its properties.
    """
    seen: set[str] = set()
    for cls in type(instance).__mro__:
        for name, member in vars(cls).items():
            if name in seen:
                continue
            seen.add(name)
            metadata = getattr(getattr(member, "__func__", member), attribute, None) if _is_method(member) else None
            if metadata is not None:
                yield DiscoveredMethod(instance, getattr(instance, name), name, metadata)


def _is_method(member: object) -> bool:
    return callable(member) or isinstance(member, classmethod | staticmethod)
