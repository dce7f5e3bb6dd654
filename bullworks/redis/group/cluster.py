"""Cluster: servers among which the slots of all keys are divided, and who has which now."""

import time
from collections.abc import Sequence
from typing import Any

from bullworks.redis.address import Address
from bullworks.redis.errors import ConnectError
from bullworks.redis.group.inquiry import Inquiry, Question, no_answer_error, order_servers, share_ms

_SCHEMES = {"tcp": "redis+cluster", "tls": "rediss+cluster"}

Range = tuple[int, int, Address]
"""First slot, last slot, and the primary that has them."""


class Cluster:
    """A Redis Cluster, known by some of its nodes. Caches the slot map and the last node that answered.

    Args:
        nodes: those to begin with, each with the login that all of them want.
    """

    has_slots = True
    follows = frozenset({"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"})
    """What a node answers that has done nothing, since another should, or since it could not now."""

    def __init__(self, nodes: Sequence[Address]) -> None:
        self.nodes = tuple(nodes)
        self.login = self.nodes[0]
        self._answered: Address | None = None
        self._latest: tuple[float, list[Range]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cluster) and self.nodes == other.nodes

    def __hash__(self) -> int:
        return hash(self.nodes)

    def __repr__(self) -> str:
        return f"Cluster({self.describe()})"

    @property
    def place(self) -> str:
        """The cluster's nodes, for error messages."""
        return f"cluster of {', '.join(node.place for node in self.nodes)}"

    def describe(self) -> str:
        """Format the cluster as a URL in which `***` stands for the password."""
        hosts = ",".join(node.place for node in self.nodes)
        return f"{_SCHEMES[self.login.transport]}://{self.login.login}{hosts}"

    def find(self, slot: int | None, budget_ms: int) -> Inquiry[Address]:
        """Find the primary of a slot; without a slot, any primary.

        Raises:
            ConnectError: no node could be asked, or none has the slot.
        """
        ranges = yield from self._ask(budget_ms)
        owner = _owner(ranges, slot)
        if owner is None:
            reason = "it has no slots" if slot is None else f"no node has slot {slot} now"
            hint = "A failover may be in progress; otherwise see redis-cli --cluster check."
            raise ConnectError(self.place, "failover", reason, hint)
        return owner

    def primaries(self, budget_ms: int) -> Inquiry[list[Address]]:
        """Find all servers that hold keys.

        Raises as `find` does.
        """
        ranges = yield from self._ask(budget_ms)
        return list(dict.fromkeys(address for _, _, address in ranges))

    def recent(self, slot: int | None, max_age_s: float) -> Address | None:
        """Return the primary of a slot, if it was found recently."""
        if self._latest is None or time.monotonic() - self._latest[0] > max_age_s:
            return None
        return _owner(self._latest[1], slot)

    def _ask(self, budget_ms: int) -> Inquiry[list[Range]]:
        failures: list[ConnectError] = []
        known = self._list_nodes()
        timeout_ms = share_ms(budget_ms, len(known))
        for node in order_servers(known, self._answered):
            try:
                reply = yield Question(node, ("CLUSTER", "SLOTS"), timeout_ms)
            except ConnectError as error:
                failures.append(_no_cluster(error))
                continue
            ranges = _ranges(reply, node)
            self._answered = node
            self._latest = (time.monotonic(), ranges)
            return ranges
        raise no_answer_error(self.place, failures, "Check hosts, ports and the login.")

    def _list_nodes(self) -> list[Address]:
        """Those to begin with, and those it has learnt of, since all of the first may be gone one day."""
        learnt = () if self._latest is None else (address for _, _, address in self._latest[1])
        return list(dict.fromkeys((*self.nodes, *learnt)))


def _owner(ranges: Sequence[Range], slot: int | None) -> Address | None:
    return next((address for first, last, address in ranges if slot is None or first <= slot <= last), None)


def _ranges(reply: Any, asked: Address) -> list[Range]:
    ranges: list[Range] = []
    for first, last, primary, *_ in reply:
        host, port = primary[:2]
        # A node that does not know its own address, or must not tell it, means the one it was asked at.
        is_known = host not in {None, b"", b"?"}
        ranges.append((first, last, asked.at(host.decode() if is_known else asked.host, int(port))))
    return ranges


def _no_cluster(error: ConnectError) -> ConnectError:
    if "cluster support disabled" not in error.reason:
        return error
    return ConnectError(error.address, "other", "it is not a cluster node; use redis://", error.hint)
