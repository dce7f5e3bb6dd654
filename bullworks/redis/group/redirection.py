"""What a node of a cluster answers when a key's slot is, or is about to be, another's. Pure."""

from dataclasses import dataclass
from typing import Self

from bullworks.redis.address import Address
from bullworks.redis.server_error import ServerError


@dataclass(frozen=True, slots=True)
class Redirection:
    """A cluster's redirection of a slot: for good (MOVED), or for one command (ASK)."""

    slot: int
    address: Address

    @classmethod
    def of(cls, error: ServerError, sender: Address) -> Self:
        """Parse an error such as `MOVED 3999 127.0.0.1:6381` from `sender`, whose login the other node shares."""
        _, slot, place = error.text.split(" ")[:3]
        host, _, port = place.rpartition(":")
        # Without a host it is the sender's.
        return cls(int(slot), sender.at(host.strip("[]") or sender.host, int(port)))


def slot_moving_error(slot: int) -> ServerError:
    """Build the error for a script that neither node can run while its slot is being moved."""
    return ServerError(f"TRYAGAIN the keys of slot {slot} are on two nodes, while it is moved from one to the other")
