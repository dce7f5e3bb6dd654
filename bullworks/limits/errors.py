"""What can go wrong with a limit."""

from bullworks.core import CoreError


class LimitError(CoreError):
    """Base of the errors of limits."""


class InvalidLimitError(LimitError, ValueError):
    """A limit was made or asked for with what cannot be used."""

    def __init__(self, name: object, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"limit {self.name!r}: {self.reason}"


class LimitReachedError(LimitError):
    """The limit has no room for the cost now, and would not have within the time given.

    Attributes:
        key: of the limit; "" for the limit as a whole.
        retry_after_ms: when to come again, ms from now. Others who were refused are told later times.
        retry_at_ms: the same by Redis's clock, ms since the epoch: for `job.move_to_delayed`.
    """

    def __init__(self, name: str, key: str, retry_after_ms: int, retry_at_ms: int) -> None:
        super().__init__(name, key, retry_after_ms, retry_at_ms)
        self.name = name
        self.key = key
        self.retry_after_ms = retry_after_ms
        self.retry_at_ms = retry_at_ms

    def __str__(self) -> str:
        of_key = f" of key {self.key!r}" if self.key else ""
        return (
            f"limit {self.name!r}{of_key} is reached: come again in {self.retry_after_ms} ms, at {self.retry_at_ms}; "
            "give reserve() a longer wait, or the job, which it then hands back until that time"
        )


class LimitUnreachableError(LimitError):
    """Redis gave no answer in time: whether there was room is not known, and nothing was granted."""

    def __init__(self, name: str, server: str, within_ms: int) -> None:
        super().__init__(name, server, within_ms)
        self.name = name
        self.server = server
        self.within_ms = within_ms

    def __str__(self) -> str:
        return f"limit {self.name!r}: no answer from Redis at {self.server} within {self.within_ms} ms"
