"""Group: servers of which one is the right one now, or one for each key."""

from typing import Protocol

from bullworks.redis.address import Address
from bullworks.redis.group.inquiry import Inquiry


class Group(Protocol):
    """The common interface of Sentinels and Cluster.

    Attributes:
        has_slots: each key belongs to a slot, and each slot to a server.
        follows: error codes of a server that has done nothing and is to be asked again, or another instead.
        login: how to log in to its servers.
    """

    @property
    def has_slots(self) -> bool: ...

    @property
    def follows(self) -> frozenset[str]: ...

    @property
    def login(self) -> Address: ...

    @property
    def place(self) -> str: ...

    def describe(self) -> str: ...

    def find(self, slot: int | None, budget_ms: int) -> Inquiry[Address]: ...

    def primaries(self, budget_ms: int) -> Inquiry[list[Address]]: ...

    def recent(self, slot: int | None, max_age_s: float) -> Address | None: ...

    def __hash__(self) -> int: ...
