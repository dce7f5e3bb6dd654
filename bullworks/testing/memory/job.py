"""MemoryJob: one job of a harness's queue; and the children that a job has."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bullworks.bullmq import Dependencies, DependenciesCount, FinishedState
from bullworks.bullmq.wire import payload

Hash = dict[bytes, bytes]

PREFIX = "bull"
"""Of the keys of every harness's queue: BullMQ's own default."""


@dataclass(slots=True)
class MemoryJob:
    """One job in memory, kept even after the queue has removed it.

    Attributes:
        state: the name of its line; None once it was removed.
    """

    id: str
    fields: Hash
    state: str | None = None
    token: str | None = None
    logs: list[str] = field(default_factory=list)
    deduplication_id: str | None = None

    def number(self, name: bytes) -> int:
        """Read a numeric field of the job's hash; 0 if missing."""
        return int(self.fields.get(name, b"0"))

    def text(self, name: bytes) -> str:
        """Read a text field of the job's hash; "" if missing."""
        return self.fields.get(name, b"").decode("utf-8", "replace")


@dataclass(slots=True)
class Children:
    """The keys of a job's children by their results, as Redis stores them beside the job.

    Attributes:
        unprocessed: those that the job waits for.
        processed: completed ones, with what they returned.
        ignored: failed ones that the job continues without, with the reason.
        failed: failed ones that fail the job too.
    """

    unprocessed: dict[str, None] = field(default_factory=dict)
    processed: dict[str, bytes] = field(default_factory=dict)
    ignored: dict[str, bytes] = field(default_factory=dict)
    failed: dict[str, None] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """List the keys of all children, finished ones first."""
        return [*self.processed, *self.ignored, *self.failed, *self.unprocessed]

    def settle(self, key: str) -> bool:
        """Stop waiting for a child. False if it was not waited for."""
        was_open = key in self.unprocessed
        self.unprocessed.pop(key, None)
        return was_open

    def reopen(self, key: str, state: FinishedState) -> None:
        """Wait again for a finished child that runs again, if it counted."""
        counted = (self.processed,) if state == "completed" else (self.failed, self.ignored)
        for ended in counted:
            if key in ended:
                del ended[key]
                self.unprocessed[key] = None
                return

    def read(self) -> Dependencies:
        """Read all children, decoded."""
        return Dependencies(
            {key: payload.decode(value) for key, value in self.processed.items()},
            list(self.unprocessed),
            {key: reason.decode("utf-8", "replace") for key, reason in self.ignored.items()},
            list(self.failed),
        )

    def count(self) -> DependenciesCount:
        """Count the children of each kind."""
        return DependenciesCount(len(self.processed), len(self.unprocessed), len(self.ignored), len(self.failed))


def flatten(fields: Hash) -> list[bytes]:
    """Flatten a hash as Redis sends it: name, value, name, value."""
    return [part for pair in fields.items() for part in pair]


def slice_page(ids: Iterable[str], start: int, end: int, *, asc: bool) -> list[str]:
    """Slice a page, both ends included, as Redis does: -1 is the last."""
    in_order = list(ids)
    if not asc:
        in_order.reverse()
    return in_order[start : end + 1 or None]
