"""What guards and filters may answer beside yes, no and an error."""

from dataclasses import dataclass
from typing import Any

from bullworks.bullmq import Duration, checked_ms


@dataclass(frozen=True, slots=True)
class Delay:
    """Run the job later; no attempt is spent.

    Args:
        duration: from now, by the clock of Redis: ms or a timedelta, >= 0.

    Raises:
        ValueError: it is no such duration.
    """

    duration: Duration

    def __post_init__(self) -> None:
        checked_ms("duration", self.duration)


@dataclass(frozen=True, slots=True)
class Complete:
    """The job is completed with this result, which is JSON. A guard drops a job so: its handler never runs."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """No worker starts a job of the queue for a while; this one returns to the head of its line, no attempt is spent.

    Args:
        duration: ms or a timedelta, >= 1 ms.

    Raises:
        ValueError: it is no such duration.
    """

    duration: Duration

    def __post_init__(self) -> None:
        checked_ms("duration", self.duration, least=1)
