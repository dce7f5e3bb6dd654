"""EventId: where an event lies in its queue's stream; ids grow, so they also tell what came first."""

import re
from typing import NamedTuple

from bullworks.bullmq.errors import InvalidOptionError

_FORM = re.compile(r"\d{1,20}(-\d{1,20})?", re.ASCII)


class EventId(NamedTuple):
    """An event's id: milliseconds of the server's clock, and a sequence number within them."""

    ms: int
    seq: int

    @classmethod
    def of(cls, stored: bytes) -> "EventId":
        """Parse an id as Redis writes it, `<ms>-<seq>`; an empty text precedes all others."""
        if not stored:
            return BEFORE_ALL
        ms, _, seq = stored.partition(b"-")
        return cls(int(ms), int(seq))

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"


BEFORE_ALL = EventId(0, 0)
"""No event has this id, and each has a greater one."""


def checked_id(value: object, option: str) -> EventId | None:
    """Validate a user's event id, `<ms>` or `<ms>-<seq>`; None for "$", the newest event.

    Raises:
        InvalidOptionError: it is neither.
    """
    if value == "$":
        return None
    if not isinstance(value, str) or not _FORM.fullmatch(value):
        raise InvalidOptionError(option, f'must be an event\'s id, as in "1700000000000-0", or "$", not {value!r}')
    ms, _, seq = value.partition("-")
    return EventId(int(ms), int(seq or 0))
