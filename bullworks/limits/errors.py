"""Errors of limits."""

from dataclasses import dataclass

from bullworks.core import CoreError


class LimitError(CoreError):
    """Base of the errors of limits."""


@dataclass(eq=False)
class InvalidLimitError(LimitError, ValueError):
    """A limit's name, window, key or cost is invalid."""

    name: object
    reason: str

    def __str__(self) -> str:
        return f"limit {self.name!r}: {self.reason}"


@dataclass(eq=False)
class LimitReachedError(LimitError):
    """The limit has no room for the cost, and will have none within the time given.

    Attributes:
        key: of the limit; "" for the limit as a whole.
        retry_after_ms: when to retry, ms from now. Callers that are refused after this one get later times.
        retry_at_ms: the same by Redis's clock, ms since the epoch: for `job.move_to_delayed`.
    """

    name: str
    key: str
    retry_after_ms: int
    retry_at_ms: int

    def __str__(self) -> str:
        of_key = f" of key {self.key!r}" if self.key else ""
        return (
            f"limit {self.name!r}{of_key} is reached: retry in {self.retry_after_ms} ms; "
            "give reserve() a longer wait, or the job, which it then delays until that time"
        )


@dataclass(eq=False)
class LimitUnreachableError(LimitError):
    """Redis gave no answer in time, so nothing was granted."""

    name: str
    server: str
    within_ms: int

    def __str__(self) -> str:
        return f"limit {self.name!r}: no answer from Redis at {self.server} within {self.within_ms} ms"
