"""The linked form of modules: nodes, their entries, and what each entry needs."""

from dataclasses import dataclass, field
from typing import Any

from bullworks.core.module import ModuleSpec
from bullworks.core.problems import AbstractClass, UnresolvedParameter
from bullworks.core.provide import Binding, UseExisting, UseFactory, UseProvider
from bullworks.core.scope import Scope
from bullworks.core.signature import Parameter
from bullworks.core.tokens import AnyToken, attribute_name
from bullworks.core.watched import WatchedProvider


@dataclass(eq=False, slots=True)
class ModuleNode:
    """One module in one application.

    Args:
        spec: what its author wrote.
        imports: the modules it imports, in order.
        entries: its own providers, by token.
        missing: dependencies of its providers without a provider; an override may still define it.
        exports: what it lets importers see. Links refer to imported modules by node.
        shown: its entries by the attributes under which its container shows them.
        is_late: it joined the application after its start.
    """

    spec: ModuleSpec
    imports: list["ModuleNode"] = field(default_factory=list)
    entries: dict[AnyToken, "Entry"] = field(default_factory=dict)
    missing: dict[AnyToken, "Entry"] = field(default_factory=dict)
    exports: list["AnyToken | ModuleNode"] = field(default_factory=list)
    shown: dict[str, "Entry"] = field(default_factory=dict)
    is_late: bool = False

    def __repr__(self) -> str:
        return f"<ModuleNode {self.spec.name}>"


@dataclass(eq=False, slots=True)
class Entry:
    """One provider of one module.

    Args:
        binding: what its author wrote; None for a missing provider.
        attribute: its name on the container.
        scope: its lifetime, after what it needs has been looked at.
        is_durable: it is REQUEST-scoped, and outlives the request in a durable context.
        dependencies: what it needs, in the order of its parameters.
        abstract: why its class cannot be instantiated.
        provider: the dependency-injector provider made of it.
        replaced: what its author wrote, where a test has put another binding in its place.
        given_up: what that would have needed.
        is_built: whether its instance exists.
        instance: the instance, once it is built.
        parts: the TRANSIENT instances that were made for it.
        companions: what serves each class that its own class needs beside it.
    """

    token: AnyToken
    node: ModuleNode
    binding: Binding | None
    attribute: str = ""
    scope: Scope = Scope.SINGLETON
    is_durable: bool = False
    dependencies: list["Dependency"] = field(default_factory=list)
    abstract: AbstractClass | None = None
    provider: WatchedProvider = field(default_factory=WatchedProvider)
    replaced: Binding | None = None
    given_up: list["Entry"] = field(default_factory=list)
    is_built: bool = False
    instance: Any = None
    parts: tuple[tuple[WatchedProvider, object], ...] = ()
    companions: dict[type[Any], "Entry"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attribute = self.attribute or attribute_name(self.token)
        if self.binding is not None:
            self.scope = self.binding.scope

    def __repr__(self) -> str:
        return f"<Entry {self.attribute} of {self.node.spec.name}>"

    @property
    def is_overridden(self) -> bool:
        """Whether the entry is overridden, so that its own dependencies do not matter."""
        return self.provider.last_overriding is not None

    @property
    def is_lazy(self) -> bool:
        """Whether the entry is built only when needed."""
        return self.binding is None or self.binding.lazy

    @property
    def is_owned(self) -> bool:
        """Whether the instance belongs to this entry, neither to another nor to a foreign container."""
        return self.binding is not None and not isinstance(self.binding.recipe, UseExisting | UseProvider)

    @property
    def used(self) -> "list[Entry]":
        """The entries that it needs, sooner or later."""
        targets = (dependency.target for dependency in self.dependencies)
        return [*(target for target in targets if target is not None), *self.companions.values()]

    @property
    def is_async(self) -> bool:
        """Whether the entry's own factory is async."""
        recipe = None if self.binding is None else self.binding.recipe
        return isinstance(recipe, UseFactory) and recipe.is_async


@dataclass(eq=False, slots=True)
class Dependency:
    """One dependency of an entry.

    Args:
        parameter: what was asked for.
        target: what serves it; None if it is left out or None will do.
        problem: why nothing serves it; `target` is then a missing entry that says so when it is called.
    """

    parameter: Parameter
    target: Entry | None
    problem: UnresolvedParameter | None = None

    @property
    def is_edge(self) -> bool:
        """Whether the dependency's target must exist before its consumer."""
        return self.target is not None and not self.parameter.is_lazy
