"""QueueReading: the metrics of one queue."""

from collections.abc import Mapping
from dataclasses import dataclass

from bullworks.workers.history import Tally


@dataclass(frozen=True, slots=True)
class QueueReading:
    """The state of one queue at one moment, for metrics.

    Args:
        counts: jobs by state.
        oldest_ms: how long the oldest job has waited; None means none waits.
        ever: what was recorded of it.
    """

    name: str
    counts: Mapping[str, int]
    oldest_ms: int | None
    ever: Tally
