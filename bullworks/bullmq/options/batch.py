"""Batches: how many jobs a handler is called with at once."""

from dataclasses import dataclass

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks

# Each job of a batch has a slot and a lock of its own.
_LARGEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """`batch=Batch(size=100)` of a worker: its handler is called with a list of up to `size` jobs.

    Attributes:
        size: jobs in one call at most, 1 .. 1,000.
        min_size: while fewer are in line none is taken, until `max_wait` is over; 1 .. size. Default 1: a batch is what
            is there, and nothing waits for company.
        max_wait: since the worker saw the first of them, ms or a timedelta; needed with `min_size`, and only then.

    Raises:
        InvalidOptionError: one is out of range, or only one of the last two is given.
    """

    size: int
    min_size: int = 1
    max_wait: Duration | None = None

    def __post_init__(self) -> None:
        checks.whole("batch.size", self.size, 1, _LARGEST)
        checks.whole("batch.min_size", self.min_size, 1, self.size)
        if self.max_wait is None:
            if self.min_size > 1:
                raise InvalidOptionError("batch.max_wait", f"must say how long {self.min_size} jobs are waited for")
            return
        checked_ms("batch.max_wait", self.max_wait, least=1)
        if self.min_size == 1:
            raise InvalidOptionError("batch.max_wait", "goes with min_size= only: one job is not waited for")

    @property
    def max_wait_ms(self) -> int:
        """`max_wait` in ms; 0 without one."""
        return 0 if self.max_wait is None else checked_ms("batch.max_wait", self.max_wait)
