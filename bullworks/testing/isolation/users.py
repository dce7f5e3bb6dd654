"""ConnectionUsers: the providers that would use a connection to Redis, as errors name them."""

from collections.abc import Iterable, Iterator

from bullworks.core import AnyToken, label
from bullworks.core.graph import Graph
from bullworks.core.node import Entry
from bullworks.workers.tokens import FlowProducerToken, QueueToken


class ConnectionUsers:
    """The providers that use a connection, and those that use them; known once modules are linked."""

    def __init__(self) -> None:
        self._owners: dict[Entry, list[Entry]] = {}

    def look(self, graph: Graph, connection: AnyToken) -> None:
        """Find the users in a graph."""
        self._owners = {user: list(_askers(graph, user.token)) for user in _askers(graph, connection)}

    def queue(self, name: str) -> str:
        """Name the queue and its users: `the queue 'email' of UserService`."""
        return _name_owners(
            f"the queue {name!r}", (owners for user, owners in self._owners.items() if _is_queue(user, name))
        )

    def flow_producer(self) -> str:
        """Name the flow producer and its users: `the FlowProducer of UserService`."""
        return _name_owners("the FlowProducer", (owners for user, owners in self._owners.items() if _is_producer(user)))

    @property
    def others(self) -> list[str]:
        """Other users of the connection: the built ones, if any is built."""
        found = [user for user in self._owners if not (_is_producer(user) or isinstance(user.token, QueueToken))]
        return [label(user.token) for user in found if user.is_built] or [label(user.token) for user in found]


def _askers(graph: Graph, token: AnyToken) -> Iterator[Entry]:
    for entry in graph.entries():
        if any(each.target is not None and each.target.token == token for each in entry.dependencies):
            yield entry


def _is_queue(user: Entry, name: str) -> bool:
    return isinstance(user.token, QueueToken) and user.token.queue_name == name


def _is_producer(user: Entry) -> bool:
    return isinstance(user.token, FlowProducerToken)


def _name_owners(thing: str, owners: Iterable[list[Entry]]) -> str:
    names = dict.fromkeys(label(owner.token) for each in owners for owner in each)
    return f"{thing} of {' and '.join(names)}" if names else thing
