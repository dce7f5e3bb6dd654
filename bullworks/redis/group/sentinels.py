"""Sentinels: servers that know which Redis is the master of a service now, and make another one when it fails."""

import time
from collections.abc import Sequence

from bullworks.redis.address import Address
from bullworks.redis.errors import ConnectError
from bullworks.redis.group.inquiry import Inquiry, Question, no_answer_error, order_servers, share_ms

_SCHEMES = {"tcp": "redis+sentinel", "tls": "rediss+sentinel"}


class Sentinels:
    """One Sentinel service. Remembers which Sentinel answered last, to ask it first.

    Args:
        service: what the sentinels call it.
        nodes: the sentinels, with the login that they want.
        login: how to log in to the service's servers, as an address; its host and port are not used.
    """

    has_slots = False
    follows = frozenset({"READONLY", "UNBLOCKED", "MASTERDOWN"})
    """What a server answers that is no longer the master; it has done nothing."""

    def __init__(self, service: str, nodes: Sequence[Address], login: Address) -> None:
        self.service = service
        self.nodes = tuple(nodes)
        self.login = login
        self._answered: Address | None = None
        self._latest: tuple[float, Address] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentinels) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    def __repr__(self) -> str:
        return f"Sentinels({self.describe()})"

    @property
    def _facts(self) -> tuple[str, tuple[Address, ...], Address]:
        return self.service, self.nodes, self.login

    @property
    def place(self) -> str:
        """The Sentinels and the service, for error messages."""
        return f"service {self.service!r} of the sentinels {', '.join(node.place for node in self.nodes)}"

    def describe(self) -> str:
        """Format the Sentinels as a URL in which `***` stands for the password."""
        hosts = ",".join(node.place for node in self.nodes)
        return f"{_SCHEMES[self.login.transport]}://{self.login.login}{hosts}/{self.service}/{self.login.db}"

    def find(self, slot: int | None, budget_ms: int) -> Inquiry[Address]:  # noqa: ARG002 - one master for all keys
        """Find the service's master.

        Raises:
            ConnectError: no sentinel could be asked, or none knows the service.
        """
        failures: list[ConnectError] = []
        timeout_ms = share_ms(budget_ms, len(self.nodes))
        for node in order_servers(self.nodes, self._answered):
            try:
                reply = yield Question(node, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service), timeout_ms)
            except ConnectError as error:
                failures.append(_no_sentinel(error))
                continue
            if reply is not None:
                self._answered = node
                host, port = reply
                master = self.login.at(host.decode(), int(port))
                self._latest = (time.monotonic(), master)
                return master
            reason = f"it knows no service {self.service!r}"
            failures.append(ConnectError(node.place, "service", reason, ""))
        hint = "Check hosts and ports, sentinel_username and sentinel_password."
        if any(failure.kind == "service" for failure in failures):
            hint = "Check the service's name, which follows the hosts: redis+sentinel://host:port/service."
        raise no_answer_error(self.place, failures, hint)

    def primaries(self, budget_ms: int) -> Inquiry[list[Address]]:
        """Find all servers that hold keys: the master.

        Raises as `find` does.
        """
        return [(yield from self.find(None, budget_ms))]

    def recent(self, slot: int | None, max_age_s: float) -> Address | None:  # noqa: ARG002 - one master for all keys
        """Return the master, if it was found recently."""
        if self._latest is None or time.monotonic() - self._latest[0] > max_age_s:
            return None
        return self._latest[1]


def _no_sentinel(error: ConnectError) -> ConnectError:
    if "unknown command" not in error.reason:
        return error
    return ConnectError(error.address, "other", "it is a Redis server, not a Sentinel; use redis://", error.hint)
