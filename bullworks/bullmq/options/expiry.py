"""Expiry: the time by which a job has to start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bullworks.bullmq.durations import checked_ms, date_ms
from bullworks.bullmq.errors import InvalidOptionError

_AT = "at"


@dataclass(frozen=True, slots=True)
class Expiry:
    """The time by which a job has to start, as one of two fields; from then on it is not run.

    Attributes:
        within_ms: counted from when the job was first due: when it was added, plus its `delay`.
        at_ms: ms since the epoch.
    """

    within_ms: int | None = None
    at_ms: int | None = None

    @classmethod
    def of(cls, value: object) -> "Expiry":
        """Read the option: ms, a timedelta, a datetime with a time zone, or what `to_wire` returns.

        Raises:
            InvalidOptionError: it is none of these, or out of range.
        """
        if isinstance(value, datetime):
            return cls(at_ms=date_ms("expires", value))
        if not isinstance(value, Mapping):
            return cls(within_ms=checked_ms("expires", value, least=1))
        if set(value) != {_AT}:
            raise InvalidOptionError("expires", f"must be a duration, a datetime or {{'at': ms}}, not {value!r}")
        return cls(at_ms=date_ms("expires.at", value[_AT]))

    def deadline_ms(self, due_ms: int) -> int:
        """The first ms since the epoch at which a job that was first due at `due_ms` is not started any more."""
        return due_ms + (self.within_ms or 0) if self.at_ms is None else self.at_ms

    def to_wire(self) -> int | dict[str, int] | None:
        """Convert to what is stored in a job's options: a number of ms, or `{"at": ms since the epoch}`."""
        return self.within_ms if self.at_ms is None else {_AT: self.at_ms}
