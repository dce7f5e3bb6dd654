"""What can go wrong with a limit."""

from dataclasses import dataclass

from bullworks.core import CoreError


class LimitError(CoreError):
    """Base of the errors of limits."""


@dataclass(eq=False)
class InvalidLimitError(LimitError, ValueError):
    """A limit was made or asked for with what cannot be used."""

    name: object
    reason: str

    def __str__(self) -> str:
        return f"limit {self.name!r}: {self.reason}"


@dataclass(eq=False)
class LimitReachedError(LimitError):
    """The limit has no room for the cost now, and would not have within the time given.

    Attributes:
        key: of the limit; "" for the limit as a whole.
        retry_after_ms: when to come again, ms from now. Others who were refused are told later times.
        retry_at_ms: the same by Redis's clock, ms since the epoch: for `job.move_to_delayed`.
    """

    name: str
    key: str
    retry_after_ms: int
    retry_at_ms: int

    def __str__(self) -> str:
        of_key = f" of key {self.key!r}" if self.key else ""
        return (
            f"limit {self.name!r}{of_key} is reached: come again in {self.retry_after_ms} ms, at {self.retry_at_ms}; "
            "give reserve() a longer wait, or the job, which it then hands back until that time"
        )


@dataclass(eq=False)
class LimitUnreachableError(LimitError):
    """Redis gave no answer in time: whether there was room is not known, and nothing was granted."""

    name: str
    server: str
    within_ms: int

    def __str__(self) -> str:
        return f"limit {self.name!r}: no answer from Redis at {self.server} within {self.within_ms} ms"
