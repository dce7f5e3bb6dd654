"""Window: how much a limit allows in any period of one length."""

from dataclasses import dataclass
from datetime import timedelta

from bullworks.bullmq import Duration, to_ms
from bullworks.limits.errors import InvalidLimitError

# A window is counted in hundredths, which are to be longer than a trip to Redis takes.
_SHORTEST_MS = 10
_LONGEST_MS = 366 * 24 * 60 * 60 * 1000
# What Lua counts exactly, with room for sums.
_MOST = 10**12


@dataclass(frozen=True, slots=True)
class Window:
    """A bound of a limit: at most `most` in any period as long as `per`.

    Attributes:
        most: the sum of costs that is allowed, 1 .. 10**12.
        per: 10 ms .. 366 days.

    Raises:
        InvalidLimitError: out of range, or of another type.
    """

    most: int
    per: Duration

    def __post_init__(self) -> None:
        if isinstance(self.most, bool) or not isinstance(self.most, int) or not 1 <= self.most <= _MOST:
            raise InvalidLimitError("window", f"most must be a whole number, 1 .. {_MOST}, not {self.most!r}")
        try:
            per_ms = to_ms(self.per, "per", least=_SHORTEST_MS)
        except ValueError as error:
            raise InvalidLimitError("window", str(error)) from None
        if per_ms > _LONGEST_MS:
            raise InvalidLimitError("window", f"per must be at most {timedelta(milliseconds=_LONGEST_MS).days} days")

    @property
    def per_ms(self) -> int:
        return to_ms(self.per, "per")


@dataclass(frozen=True, slots=True)
class WindowUsage:
    """How much counts in a window now.

    Attributes:
        used: more than the window's `most` only if more was spent than had been reserved.
    """

    window: Window
    used: int


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """A snapshot of how much one key of a limit has used.

    Attributes:
        paused_ms: how long nothing is granted, whatever is free; 0 means it is not paused.
        windows: in the order in which the limit has them.
    """

    paused_ms: int
    windows: tuple[WindowUsage, ...]
