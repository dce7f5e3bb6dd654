"""How long a failed job waits for its next attempt."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from bullworks.bullmq.durations import LONGEST_MS, Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks


class BackoffOptions(TypedDict, total=False):
    """A `Backoff` written as a dict, as in BullMQ."""

    type: str
    delay: Duration
    jitter: float


BackoffStrategy = Callable[..., int | Awaitable[int]]
"""(attempts_made, type, error, job) -> ms until the next attempt; 0: at once; -1: fail now. A worker's own."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """A retry delay: `fixed`, `exponential`, or a type of the worker's own `backoff_strategy`.

    Attributes:
        type: `fixed`, `exponential`, or a custom name.
        delay_ms: the base, >= 0.
        jitter: 0 .. 1, the part of each delay that is random: 0.5 gives 50 .. 100 % of it.
    """

    type: str
    delay_ms: int = 0
    jitter: float = 0.0

    @classmethod
    def fixed(cls, delay: Duration, *, jitter: float = 0.0) -> "Backoff":
        """Wait the same delay before every attempt."""
        return cls("fixed", checked_ms("backoff.delay", delay), _checked_jitter(jitter))

    @classmethod
    def exponential(cls, delay: Duration, *, jitter: float = 0.0) -> "Backoff":
        """Wait `delay` after the first failure, doubled after each further one."""
        return cls("exponential", checked_ms("backoff.delay", delay), _checked_jitter(jitter))

    @classmethod
    def of(cls, value: object) -> "Backoff":
        """Validate a user's backoff: a Backoff, a number of ms (fixed), or a dict with type, delay, jitter.

        Raises:
            InvalidOptionError: it is none of these, or out of range.
        """
        if isinstance(value, Backoff):
            return value
        if not isinstance(value, dict):
            return cls.fixed(checked_ms("backoff", value))
        checks.parts("backoff", value, BackoffOptions.__annotations__)
        kind = value.get("type")
        if not isinstance(kind, str) or not kind:
            raise InvalidOptionError("backoff.type", f"must be 'fixed', 'exponential' or your own, not {kind!r}")
        return cls(kind, checked_ms("backoff.delay", value.get("delay", 0)), _checked_jitter(value.get("jitter", 0.0)))

    @property
    def is_custom(self) -> bool:
        return self.type not in {"fixed", "exponential"}

    def delay_after_ms(self, attempts_made: int, random_part: float) -> int:
        """Compute the delay before the next attempt of a built-in type.

        Args:
            attempts_made: attempts that have failed so far, >= 1.
            random_part: 0 .. 1, uniform.

        Returns:
            fixed: delay; exponential: delay * 2 ** (attempts_made - 1); then delay * (1 - jitter) plus the random
            part of delay * jitter. Milliseconds, at most LONGEST_MS.

        Source: BullMQ's documented behaviour of `fixed` and `exponential` with jitter.
        """
        delay_ms = self.delay_ms
        if self.type == "exponential":
            delay_ms = min(delay_ms << min(attempts_made - 1, 64), LONGEST_MS)
        if self.jitter:
            return int(delay_ms * (1 - self.jitter) + delay_ms * self.jitter * random_part)
        return delay_ms

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {"type": self.type}
        # A type of the user's own need not have a delay; Node then has none either.
        if self.delay_ms or not self.is_custom:
            wire["delay"] = self.delay_ms
        if self.jitter:
            wire["jitter"] = self.jitter
        return wire


def _checked_jitter(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidOptionError("backoff.jitter", f"must be 0 .. 1, not {value!r}")
    return float(value)
