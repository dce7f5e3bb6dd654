"""Finds modules, providers, decorated classes and methods in an application."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from bullworks.core.building import built_instances
from bullworks.core.graph import Graph
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.provide import (
    Recipe,
    UseClass,
    UseExisting,
    UseFactory,
    UseProvider,
    UseSettings,
    UseValue,
    provided_class,
)
from bullworks.core.resolver import resolve_entry
from bullworks.core.scope import Scope
from bullworks.core.tokens import AnyToken, label
from bullworks.settings import Settings, SettingsSource


class ProviderKind(Enum):
    """The kind of a provider: class, value, factory and so on."""

    CLASS = "class"
    VALUE = "value"
    FACTORY = "factory"
    ALIAS = "alias"
    SETTINGS = "settings"
    FOREIGN = "foreign"
    """Of a dependency-injector container that the module imports."""

    @classmethod
    def of(cls, recipe: Recipe) -> "ProviderKind":
        """The kind of provider that a recipe makes."""
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
            case UseSettings():
                return cls.SETTINGS


class DiscoveredProvider:
    """One provider of the application in its present state, whether or not it has been built.

    Attributes:
        token: what it is known by.
    """

    __slots__ = ("_entry", "_graph", "_recipe", "token")

    def __init__(self, entry: Entry, recipe: Recipe, graph: Graph) -> None:
        self.token = entry.token
        self._entry = entry
        self._recipe = recipe
        self._graph = graph

    @property
    def path(self) -> tuple[str, ...]:
        """The module names from the root to the provider's module, then the provider."""
        return (*self._graph.path(self._entry.node), label(self.token))

    @property
    def kind(self) -> ProviderKind:
        """The kind of the provider: class, value, factory and so on."""
        return ProviderKind.of(self._recipe)

    @property
    def scope(self) -> Scope:
        """The lifetime of the provider's instances; REQUEST also if only a dependency is request-scoped."""
        return self._entry.scope

    @property
    def instance(self) -> object:
        """The provider's instance, or its override's; None until it is built. A `use_value` is there from the start."""
        if self._entry.is_built or self._entry.is_overridden or not isinstance(self._recipe, UseValue):
            return self._entry.instance
        return self._recipe.value

    @property
    def made_from(self) -> type[Any] | None:
        """The class of the provider's instances; None if it is not known yet."""
        entry, recipe = self._entry, self._recipe
        if entry.is_built:
            return type(entry.instance)
        if entry.is_overridden:
            return None
        if isinstance(recipe, UseClass | UseSettings):
            return recipe.cls
        if isinstance(recipe, UseProvider) and not entry.is_lazy:
            return provided_class(recipe.provider)
        # a factory says by its token what it makes
        return entry.token if isinstance(recipe, UseFactory) and isinstance(entry.token, type) else None

    @property
    def is_given(self) -> bool:
        """Whether the instance was created outside, by a user or test, so that the application does not close it."""
        return self._entry.is_overridden or isinstance(self._recipe, UseValue | UseExisting | UseProvider)

    @property
    def is_built(self) -> bool:
        """Whether the instance was built; False for unused lazy providers, and for shorter scopes."""
        return self._entry.is_built

    @property
    def is_eager(self) -> bool:
        """Whether the instance is, or will be, built when the application starts."""
        return self._entry.is_built or self._entry in self._graph.to_build()

    @property
    def is_late(self) -> bool:
        """Whether its module was loaded while the application ran: what is looked for at the start misses it."""
        return self._entry.node.is_late

    def companion(self, cls: type[Any]) -> "DiscoveredProvider | None":
        """The provider of a class that its own class needs beside it; None where nobody could tell that it does."""
        entry = self._entry.companions.get(cls)
        if entry is None or entry.binding is None:
            return None
        return DiscoveredProvider(entry, entry.binding.recipe, self._graph)

    async def resolve(self) -> Any:
        """Resolve the provider's instance; the current request's if it is REQUEST-scoped."""
        return await resolve_entry(self._entry, self._graph)


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
    """An instance whose class carries the requested metadata.

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
    """A method that carries the requested metadata.

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

    @property
    def settings(self) -> SettingsSource:
        """The source of the application's settings; `settings[MailSettings]`."""
        return self._graph.settings

    def settings_classes(self) -> list[type[Settings]]:
        """List the settings classes among the providers, each once."""
        recipes = [entry.binding.recipe for entry in self._graph.entries() if entry.binding is not None]
        return list(dict.fromkeys(recipe.cls for recipe in recipes if isinstance(recipe, UseSettings)))

    @property
    def module_count(self) -> int:
        """The number of modules of the application; it grows when one is loaded later."""
        return len(self._graph.nodes)

    def providers(self) -> Iterator[DiscoveredProvider]:
        """List every provider of every module, leaf modules first."""
        for node in self._graph.nodes:
            yield from self._providers(node)

    def modules(self) -> Iterator[DiscoveredModule]:
        """List every module, leaf modules first: the root is the last."""
        numbers = {node: number for number, node in enumerate(self._graph.nodes)}
        for node, number in numbers.items():
            yield DiscoveredModule(
                number,
                node.spec.name,
                node.spec.cls,
                node.spec.is_global,
                tuple(numbers[imported] for imported in node.imports),
                tuple(numbers[each] if isinstance(each, ModuleNode) else each for each in node.exports),
                tuple(self._providers(node)),
            )

    def _providers(self, node: ModuleNode) -> Iterator[DiscoveredProvider]:
        entries = dict.fromkeys(node.entries.values())  # a provider of a foreign container has two tokens
        return (DiscoveredProvider(entry, entry.binding.recipe, self._graph) for entry in entries if entry.binding)

    def classes(self, attribute: str) -> Iterator[DiscoveredClass]:
        """Find instances whose own class has the attribute; subclasses of a decorated class do not match."""
        for entry, instance in built_instances(self._graph):
            metadata = vars(type(instance)).get(attribute)
            if metadata is not None:
                path = (*self._graph.path(entry.node), label(entry.token))
                yield DiscoveredClass(instance, metadata, path)

    def methods(self, attribute: str) -> Iterator[DiscoveredMethod]:
        """Find the methods, of all instances, that have the attribute."""
        for _, instance in built_instances(self._graph):
            yield from methods_of(instance, attribute)


def methods_of(instance: object, attribute: str) -> Iterator[DiscoveredMethod]:
    """Find the methods of an instance that have the attribute, including inherited ones.

    Found on the classes: `getattr` on the instance would run its properties.
    """
    for name, metadata in marked_methods(type(instance), attribute):
        yield DiscoveredMethod(instance, getattr(instance, name), name, metadata)


def marked_methods(cls: type[Any], attribute: str) -> Iterator[tuple[str, Any]]:
    """Find a class's methods that have the attribute, with its value; including inherited ones."""
    for name, marks in _collect_marks(cls):
        if attribute in marks:
            yield name, marks[attribute]


# Every class of an application is looked through, for one decorator after the other.
_MARKED: WeakKeyDictionary[type[Any], tuple[tuple[str, dict[str, Any]], ...]] = WeakKeyDictionary()


def _collect_marks(cls: type[Any]) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The methods of a class that carry any attributes, with these; an overridden one counts as its override."""
    found = _MARKED.get(cls)
    if found is None:
        found = _MARKED[cls] = tuple(
            # not what it wraps: that may lead back to the class, which would then never be forgotten
            (name, {key: value for key, value in vars(function).items() if key != "__wrapped__"})
            for place, base in enumerate(cls.__mro__)
            for name, member in vars(base).items()
            for function in [getattr(member, "__func__", member)]
            if _is_method(member) and getattr(function, "__dict__", None)
            if not any(name in vars(derived) for derived in cls.__mro__[:place])
        )
    return found


def _is_method(member: object) -> bool:
    return isinstance(member, classmethod | staticmethod) or (callable(member) and not isinstance(member, type))
