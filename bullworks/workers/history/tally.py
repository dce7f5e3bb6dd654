"""Tally: what happened in one stretch of time, and how it is written in Redis."""

from bullworks.workers.history.buckets import Histogram


class Tally:
    """The counts of a minute, an hour, a day, or all time, of one queue or of all.

    Attributes:
        completed, failed: jobs that ended for good.
        retried: attempts that failed, of jobs that have another.
        oldest_ms: how long the oldest job had waited, at the moment it had waited longest.
        run: how long attempts took.
        wait: how long jobs were due before their first attempt began.
    """

    __slots__ = ("completed", "failed", "oldest_ms", "retried", "run", "wait")

    def __init__(self) -> None:
        self.completed = 0
        self.failed = 0
        self.retried = 0
        self.oldest_ms = 0
        self.run = Histogram()
        self.wait = Histogram()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self.encode() == other.encode()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Tally {self.encode()}>"

    def absorb(self, other: "Tally") -> None:
        """Add another tally's counts."""
        self.completed += other.completed
        self.failed += other.failed
        self.retried += other.retried
        self.oldest_ms = max(self.oldest_ms, other.oldest_ms)
        self.run.absorb(other.run)
        self.wait.absorb(other.wait)

    def encode(self) -> str:
        """Encode as `completed failed retried oldest;run;wait`, the latter as `sum bucket:count bucket:count ...`.

        lua/record.lua reads and writes the same.
        """
        heads = f"{self.completed} {self.failed} {self.retried} {self.oldest_ms}"
        return f"{heads};{_encode_histogram(self.run)};{_encode_histogram(self.wait)}"

    @classmethod
    def decode(cls, text: bytes) -> "Tally":
        """Decode what `encode` wrote.

        Raises:
            ValueError: another program wrote it.
        """
        heads, run, wait = text.decode("ascii").split(";")
        tally = cls()
        tally.completed, tally.failed, tally.retried, tally.oldest_ms = map(int, heads.split())
        tally.run, tally.wait = _decode_histogram(run), _decode_histogram(wait)
        return tally


def _encode_histogram(histogram: Histogram) -> str:
    pairs = (f" {bucket}:{count}" for bucket, count in sorted(histogram.counts.items()))
    return f"{histogram.sum_us}{''.join(pairs)}"


def _decode_histogram(text: str) -> Histogram:
    sum_us, *pairs = text.split()
    split = (pair.split(":") for pair in pairs)
    return Histogram({int(bucket): int(count) for bucket, count in split}, int(sum_us))
