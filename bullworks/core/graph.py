"""The graph of an application: its modules, its entries, and in which order they come to life."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol
from weakref import WeakSet

from dependency_injector import containers

from bullworks.core.durable_contexts import DurableContexts
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import DuplicateExport
from bullworks.core.scope import Scope
from bullworks.core.shutdown import Shutdown
from bullworks.core.substitutes import Substitutes
from bullworks.core.tokens import AnyToken
from bullworks.core.walking import dependencies_first
from bullworks.settings import SettingsSource


class Lease:
    """Represents one application in the recipes that it copies."""


class Starting(Protocol):
    """Calls the start hooks of modules that join a running application."""

    async def join(self, nodes: Collection[ModuleNode]) -> None:
        """Call the hooks that the others have had; after a failure, the stop hooks."""
        ...


class Graph:
    """All modules of one application, linked.

    Attributes:
        root: the module that the application is made of.
        nodes: all modules, each after those it imports; of modules that import each other, any may be first.
        duplicates: tokens that a module imports twice.
        visible: what each module sees.
        containers: the dependency-injector container that shows each module.
        settings: where settings classes among the providers are read from.
        shutdown: whether the application has been asked to stop.
        is_running: between the application's init and the end of its close.
        checks: what modules want to be sure of before anything is built.
        turns: locks, each held while its entry's object is awaited.
        lifecycle: of the application that runs it.
        loading: held while a module is loaded.
        load: stands for the load that holds it; None where nothing is loaded.
        substitutes: what stands in for providers and modules, also of those that are loaded later.
        recipes: the graphs of `for_root()` containers that this one holds copies of.
        lease: stands for this graph in the `open_copies` of its recipes.
        durable: the instances that outlive a request.
        strategy: says which of those a request has; None where nothing is durable.
        open_copies: the leases of the open applications that hold a copy of this one.
    """

    def __init__(self, root: ModuleNode) -> None:
        self.root = root
        self.nodes = leaf_first(root)
        self.duplicates: list[DuplicateExport] = []
        self.visible: dict[ModuleNode, dict[AnyToken, Entry]] = {}
        self.containers: dict[ModuleNode, containers.DynamicContainer] = {}
        self.settings = SettingsSource()
        self.shutdown = Shutdown()
        self.is_running = False
        self.checks: list[Callable[[], Iterable[Exception]]] = []
        self.turns: defaultdict[Entry, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.lifecycle: Starting | None = None
        self.loading = asyncio.Lock()
        self.load: object | None = None
        self.substitutes = Substitutes()
        self.recipes: list[Graph] = []
        self.durable = DurableContexts()
        self.strategy: Entry | None = None
        self.lease = Lease()
        self.open_copies: WeakSet[Lease] = WeakSet()  # one without references is not open
        self._paths = _shortest_paths(root)
        self._order: tuple[Entry, ...] | None = None
        self._to_build: tuple[Entry, ...] | None = None

    def open(self) -> None:
        """Mark the recipes as in use by copies: overrides of the recipes are refused."""
        for recipe in self.recipes:
            recipe.open_copies.add(self.lease)

    def close(self) -> None:
        """Allow overrides of the recipes again."""
        self.let_go(self.recipes)

    def let_go(self, recipes: Iterable["Graph"]) -> None:
        """Allow overrides of some recipes again."""
        for recipe in recipes:
            recipe.open_copies.discard(self.lease)

    def add(self, root: ModuleNode) -> tuple[ModuleNode, ...]:
        """Add a module and those of its imports that are not there; returns them, each after its own imports."""
        added = tuple(node for node in leaf_first(root) if node not in self.nodes)
        self.nodes = (*self.nodes[:-1], *added, self.nodes[-1])
        self._paths |= {node: path for node, path in _shortest_paths(root).items() if node in added}
        self.changed()
        return added

    def remove(self, nodes: Collection[ModuleNode]) -> None:
        """Take out modules that no other module imports."""
        self.nodes = tuple(node for node in self.nodes if node not in nodes)
        for node in nodes:
            for known in (self._paths, self.visible, self.containers):
                known.pop(node, None)
        if self.strategy is not None and self.strategy.node in nodes:
            self.strategy = None
        self.changed()

    def changed(self) -> None:
        """Discard the cached build order, after an entry was added, or an override began or ended."""
        self._order = self._to_build = None

    def path(self, node: ModuleNode) -> tuple[str, ...]:
        """Return the module names from the root to a module, along the fewest imports."""
        return self._paths.get(node, (node.spec.name,))

    def entries(self) -> Iterator[Entry]:
        """Iterate over all entries that modules provide, leaf modules first."""
        for node in self.nodes:
            yield from node.entries.values()

    def providing(self, token: AnyToken) -> list[Entry]:
        """Find the entries for a token, in any module."""
        return [node.entries[token] for node in self.nodes if token in node.entries]

    def order(self, starts: Iterable[Entry] | None = None) -> tuple[Entry, ...]:
        """Sort entries after their dependencies; dependencies of overridden entries are skipped.

        Leaf modules come first. (`container.traverse()` has no stable order.)

        Args:
            starts: the entries to begin from; all unless given.
        """
        if starts is None:
            if self._order is None:
                self._order = self.order(self.entries())
            return self._order
        return tuple(dependencies_first(starts, needs))

    def wanted(self) -> list[Entry]:
        """List entries in order, without those that only overridden entries need.

        A test that overrides MailService must not have to build, or even to configure, its SMTP client.
        """
        order = self.order()
        users: dict[Entry, list[Entry]] = {}
        for entry in order:
            for used in entry.used:
                users.setdefault(used, []).append(entry)
            for target in entry.given_up:
                users.setdefault(target, [])
        using = {entry: sum(not user.is_overridden for user in its_users) for entry, its_users in users.items()}
        idle = [entry for entry, count in using.items() if count == 0]
        for entry in idle:  # grows: what only idle ones use is idle as well
            for used in () if entry.is_overridden else entry.used:
                using[used] -= 1
                if using[used] == 0:
                    idle.append(used)
        unwanted = set(idle)
        return [entry for entry in order if entry not in unwanted]

    def to_build(self) -> tuple[Entry, ...]:
        """List the singletons to build at start, in order.

        Those are the wanted ones that are not lazy, and lazy ones that any of them needs.
        """
        if self._to_build is None:
            eager = [entry for entry in self.wanted() if not entry.is_lazy]
            needed = self.order(eager)
            self._to_build = tuple(e for e in needed if e.binding is not None and e.scope is Scope.SINGLETON)
        return self._to_build

    def is_used(self, entry: Entry) -> bool:
        """Whether any other entry needs this one, sooner or later."""
        return any(entry in other.used for other in self.entries())

    def dependents(self, entry: Entry) -> list[Entry]:
        """List the entries that depend on this one, directly or not, in order."""
        hit = {entry}
        found = []
        for other in self.order():
            if other is not entry and any(d.is_edge and d.target in hit for d in other.dependencies):
                hit.add(other)
                found.append(other)
        return found


def needs(entry: Entry) -> list[Entry]:
    """List the entries that must exist before this one."""
    if entry.is_overridden:
        return []
    return [d.target for d in entry.dependencies if d.is_edge and d.target is not None]


def leaf_first(root: ModuleNode) -> tuple[ModuleNode, ...]:
    """List a module and all it imports, each after its own imports."""
    return tuple(dependencies_first([root], lambda node: node.imports))


def _shortest_paths(root: ModuleNode) -> dict[ModuleNode, tuple[str, ...]]:
    paths: dict[ModuleNode, tuple[str, ...]] = {root: (root.spec.name,)}
    queue = deque([root])
    while queue:
        node = queue.popleft()
        for imported in node.imports:
            if imported not in paths:
                paths[imported] = (*paths[node], imported.spec.name)
                queue.append(imported)
    return paths
