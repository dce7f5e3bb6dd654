"""Errors of the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.core import CoreError
from bullworks.suggestion import suggestion


class OutboxError(CoreError):
    """Base of the errors of the outbox."""


@dataclass(eq=False)
class UnsupportedDatabaseError(OutboxError, ValueError):
    """The engine's database is neither Postgres nor SQLite."""

    dialect: str

    def __str__(self) -> str:
        return f"the outbox works on postgresql and sqlite, not on {self.dialect}"


@dataclass(eq=False)
class UnknownQueueError(OutboxError, LookupError):
    """The outbox knows no queue of this name, so nothing was written."""

    queue: str
    known: Sequence[str]

    def __str__(self) -> str:
        near = suggestion(self.queue, self.known)
        hint = f"did you mean {near}?" if near else f'add BullModule.register_queue("{self.queue}") to imports'
        return f"the outbox knows no queue {self.queue!r}; {hint}"
