"""Finds modules, providers, decorated classes and methods in an application."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from app.core.building import built_instances
from app.core.graph import Graph
from app.core.node import Entry, ModuleNode
from app.core.provide import Recipe, UseClass, UseExisting, UseFactory, UseProvider, UseValue
from app.core.resolver import resolve_entry
from app.core.scope import Scope
from app.core.tokens import AnyToken, label


class ProviderKind(Enum):
    """Where a provider's instance comes from, as its module says."""

    CLASS = "class"
    VALUE = "value"
    FACTORY = "factory"
    ALIAS = "alias"
    FOREIGN = "foreign"
    """Of a dependency-injector container that the module imports."""

    @classmethod
    def of(cls, recipe: Recipe) -> "ProviderKind":
        """The kind of a binding."""
        match recipe:
            case UseClass():
                return cls.CLASS
            case UseValue():
                return cls.VALUE
            case UseFactory():
                return cls.FACTORY
            case UseExisting():
                return cls.ALIAS
            case UseProvider():
                return cls.FOREIGN


@dataclass(frozen=True, slots=True)
class DiscoveredProvider:
    """One provider of the application, whether or not it has been built.

    Args:
        token: what it is known by.
        path: the modules from the root to its own, then the provider.
        kind: where its instance comes from.
        scope: how long an instance lives; REQUEST also if only something it needs says so.
        instance: what it provides, an override included; None while it is not built.
        made_from: the class that its instances are of; None while nobody can tell.
        is_given: it was made elsewhere, by the user or by a test, and is not the application's to close.
        is_built: false for lazy providers that nobody needed, and for those of a shorter scope.
        is_eager: it is, or will be, built when the application starts.
        resolve: gives its instance, that of the present request if it is REQUEST-scoped.
    """

    token: AnyToken
    path: tuple[str, ...]
    kind: ProviderKind
    scope: Scope
    instance: object
    made_from: type[Any] | None
    is_given: bool
    is_built: bool
    is_eager: bool
    resolve: Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class DiscoveredModule:
    """One module of the application.

    Args:
        number: no other module of the application has it; names may repeat.
        name: how messages name it.
        cls: its class; None for a dependency-injector container.
        imports: the numbers of the modules that it imports.
        exports: tokens, and the numbers of modules, that importers see.
        providers: its own.
    """

    number: int
    name: str
    cls: type[Any] | None
    is_global: bool
    imports: tuple[int, ...]
    exports: tuple[AnyToken | int, ...]
    providers: tuple[DiscoveredProvider, ...]


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
    """Injectable: searches all modules of the application.

    A mock that stands in for a provider carries no metadata and is not found.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def providers(self) -> Iterator[DiscoveredProvider]:
        """Every provider that a module lists, leaf modules first."""
        eager = set(self._graph.to_build())
        for node in self._graph.nodes:
            yield from self._providers(node, eager)

    def modules(self) -> Iterator[DiscoveredModule]:
        """Every module, leaf modules first: the root is the last."""
        eager = set(self._graph.to_build())
        numbers = {node: number for number, node in enumerate(self._graph.nodes)}
        for node, number in numbers.items():
            yield DiscoveredModule(
                number,
                node.spec.name,
                node.spec.cls,
                node.spec.is_global,
                tuple(numbers[imported] for imported in node.imports),
                tuple(numbers[each] if isinstance(each, ModuleNode) else each for each in node.exports),
                tuple(self._providers(node, eager)),
            )

    def _providers(self, node: ModuleNode, eager: set[Entry]) -> Iterator[DiscoveredProvider]:
        path = self._graph.path(node)
        for entry in dict.fromkeys(node.entries.values()):
            if entry.binding is None:
                continue
            kind = ProviderKind.of(entry.binding.recipe)
            given_kinds = (ProviderKind.VALUE, ProviderKind.ALIAS, ProviderKind.FOREIGN)
            yield DiscoveredProvider(
                token=entry.token,
                path=(*path, label(entry.token)),
                kind=kind,
                scope=entry.scope,
                instance=entry.instance,
                made_from=_made_from(entry, entry.binding.recipe),
                is_given=entry.is_overridden or kind in given_kinds,
                is_built=entry.is_built,
                is_eager=entry.is_built or entry in eager,
                resolve=partial(resolve_entry, entry, self._graph),
            )

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
    for name, metadata in marked_methods(type(instance), attribute):
        yield DiscoveredMethod(instance, getattr(instance, name), name, metadata)


def marked_methods(cls: type[Any], attribute: str) -> Iterator[tuple[str, Any]]:
    """The names of a class's methods that have the attribute, and what it holds; those of base classes included."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, member in vars(base).items():
            if name in seen:
                continue
            seen.add(name)
            metadata = getattr(getattr(member, "__func__", member), attribute, None) if _is_method(member) else None
            if metadata is not None:
                yield name, metadata


def _made_from(entry: Entry, recipe: Recipe) -> type[Any] | None:
    if entry.is_built:
        return type(entry.instance)
    if entry.is_overridden:
        return None
    if isinstance(recipe, UseClass):
        return recipe.cls
    # a factory says by its token what it makes
    return entry.token if isinstance(recipe, UseFactory) and isinstance(entry.token, type) else None


def _is_method(member: object) -> bool:
    return callable(member) or isinstance(member, classmethod | staticmethod)
