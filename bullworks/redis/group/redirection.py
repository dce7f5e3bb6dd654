"""What a node of a cluster answers when a key's slot is, or is about to be, another's. Pure."""

from dataclasses import dataclass
from typing import Self

from bullworks.redis.address import Address
from bullworks.redis.server_error import ServerError


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where to go with the keys of a slot: from now on (MOVED), or with this one command (ASK)."""

    slot: int
    address: Address

    @classmethod
    def of(cls, error: ServerError, sender: Address) -> Self:
        """Of `MOVED 3999 127.0.0.1:6381`, from `sender`, whose login the other node wants too."""
        _, slot, place = error.text.split(" ")[:3]
        host, _, port = place.rpartition(":")
        # Without a host it is the sender's.
        return cls(int(slot), sender.at(host.strip("[]") or sender.host, int(port)))


def half_moved(slot: int) -> ServerError:
    """For a script that can run on neither node."""
    return ServerError(f"TRYAGAIN the keys of slot {slot} are on two nodes, while it is moved from one to the other")
