"""Which REQUEST-scoped providers are durable, and what keeps them from it."""

from collections.abc import Iterable, Iterator

from bullworks.core.durable_contexts import ContextStrategy
from bullworks.core.graph import Graph, needs
from bullworks.core.node import Entry
from bullworks.core.problems import NoContextStrategy, NotDurable, Problem
from bullworks.core.scope import Scope
from bullworks.core.tokens import label


def spread_durability(ordered: Iterable[Entry]) -> None:
    """Mark the durable entries; of those that are REQUEST-scoped only by what they need, if all of that is durable.

    Args:
        ordered: all entries with their final scopes, each after what it needs.
    """
    for entry in ordered:
        if entry.scope is Scope.REQUEST and entry.binding is not None:
            is_said = entry.binding.scope is Scope.REQUEST
            entry.is_durable = (
                entry.binding.durable if is_said else all(need.is_durable for need in _per_request(entry))
            )


def durability_problems(graph: Graph, wanted: Iterable[Entry]) -> Iterator[Problem]:
    """List the durable providers that need what lives for one request, and that no strategy serves."""
    durable = [entry for entry in wanted if entry.is_durable and not entry.is_overridden]
    for entry in durable:
        needed = next((each for each in _per_request(entry) if not each.is_durable and not each.is_overridden), None)
        if needed is not None:
            yield NotDurable(label(entry.token), graph.path(entry.node), label(needed.token))
    strategies = [entry for entry in graph.providing(ContextStrategy) if entry.scope is Scope.SINGLETON]
    if len(strategies) != 1:
        owners = tuple(entry.node.spec.name for entry in strategies)
        for entry in durable[:1]:  # one of them is enough to say it
            yield NoContextStrategy(label(entry.token), graph.path(entry.node), owners)


def _per_request(entry: Entry) -> Iterator[Entry]:
    """What an entry needs that is REQUEST-scoped, itself or within a TRANSIENT."""
    for needed in needs(entry):
        if needed.scope is Scope.REQUEST:
            yield needed
        elif needed.scope is Scope.TRANSIENT:
            yield from _per_request(needed)
