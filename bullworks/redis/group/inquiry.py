"""Inquiry: who is to be asked what, to find a server; pure, so that async and blocking code share it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bullworks.redis.address import Address
from bullworks.redis.errors import ConnectError, ConnectFailure

T = TypeVar("T")

# However many there are to ask, each gets so long to answer.
_LEAST_MS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """One command for one server, and how long it may take, connecting included."""

    address: Address
    command: tuple[str | int, ...]
    timeout_ms: int


Inquiry = Generator[Question, Any, T]
"""Yields questions; is sent the raw reply, or thrown a ConnectError; returns what was to be found."""


def order_servers(known: Sequence[Address], first: Address | None) -> list[Address]:
    """Order the servers to ask: the one that answered last time, then the others."""
    if first is None:
        return list(known)
    return [first, *(address for address in known if address != first)]


def share_ms(budget_ms: int, count: int) -> int:
    """Divide a time budget among `count` questions, ms each."""
    return max(budget_ms // max(count, 1), _LEAST_MS)


def no_answer_error(place: str, failures: Sequence[ConnectError], hint: str) -> ConnectError:
    """Build the error for a search in which no server answered; it names each with its reason."""
    kinds: set[ConnectFailure] = {failure.kind for failure in failures}
    if kinds & {"closed", "tls"}:
        hint = f"{hint} To ports that speak TLS write rediss+..., to others redis+...."
    reasons = "; ".join(f"{failure.address}: {failure.reason}" for failure in failures)
    return ConnectError(place, kinds.pop() if len(kinds) == 1 else "other", reasons, hint)
