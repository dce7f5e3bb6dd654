"""How deep providers call each other: Python's stack ends somewhere, and the library calls one inside the other."""

from bullworks.core.graph import Graph, needs
from bullworks.core.node import Entry
from bullworks.core.problems import NestedTooDeep
from bullworks.core.provide import UseExisting
from bullworks.core.scope import Scope
from bullworks.core.tokens import label
from bullworks.core.walking import dependencies_first

MOST_NESTED = 100
"""So many calls, one inside the other, leave most of Python's stack to the first caller."""

_NAMES_SHOWN = 3


def find_deep_nesting(graph: Graph) -> NestedTooDeep | None:
    """Find the longest chain of nested provider calls, if it is too long.

    A singleton ends a row: it is built before its consumers.
    """
    lengths: dict[Entry, int] = {}
    inside: dict[Entry, Entry] = {}
    for entry in dependencies_first(graph.entries(), needs):
        nested = [needed for needed in needs(entry) if _is_called_each_time(needed)]
        if nested:
            inside[entry] = max(nested, key=lengths.__getitem__)
        lengths[entry] = 1 + (lengths[inside[entry]] if nested else 0)
    outermost = max(lengths, key=lengths.__getitem__, default=None)
    if outermost is None or lengths[outermost] <= MOST_NESTED:
        return None
    row = [outermost]
    while row[-1] in inside:
        row.append(inside[row[-1]])
    first, last = (tuple(label(entry.token) for entry in part) for part in (row[:_NAMES_SHOWN], row[-1:]))
    return NestedTooDeep(first, last[0], len(row), MOST_NESTED, graph.path(outermost.node))


def deep_singletons(graph: Graph) -> set[Entry]:
    """Find the singletons whose dependency chain is too long for nested building."""
    depths: dict[Entry, int] = {}
    for entry in dependencies_first(graph.entries(), needs):
        depths[entry] = 1 + max((depths[needed] for needed in needs(entry)), default=0)
    return {entry for entry, depth in depths.items() if depth > MOST_NESTED and entry.scope is Scope.SINGLETON}


def _is_called_each_time(entry: Entry) -> bool:
    is_alias = entry.binding is not None and isinstance(entry.binding.recipe, UseExisting)
    return is_alias or entry.scope is not Scope.SINGLETON
