"""Durations in buckets, four to each doubling: small, exact when added up, a percentile at most 19 % off."""

import math
from collections.abc import Iterable, Mapping

A_DOUBLING = 4
# The first bucket ends at 1/16 ms: shorter ones need not be distinguished.
_FIRST_EXPONENT = -4
# 2**27 ms are 37 hours; whatever took longer counts as that.
LAST_BUCKET = (27 - _FIRST_EXPONENT) * A_DOUBLING
_SHORTEST_MS = 2.0**_FIRST_EXPONENT
_LOOKED_UP = 1 << 14


def bucket_of(duration_ms: float) -> int:
    """Find the bucket of a duration, upper end included. Negative durations, of differing clocks, count as 0."""
    if duration_ms <= _SHORTEST_MS:
        return 0
    return min(math.ceil((math.log2(duration_ms) - _FIRST_EXPONENT) * A_DOUBLING), LAST_BUCKET)


# Nearly every duration of a worker is whole and short: looked up, not computed.
_BUCKETS = [bucket_of(duration_ms) for duration_ms in range(_LOOKED_UP)]


def end_ms(bucket: int) -> float:
    """Compute the longest duration of a bucket, ms. Each power of two, in ms, ends one."""
    return math.pow(2.0, bucket / A_DOUBLING + _FIRST_EXPONENT)


def percentiles_ms(counts: Mapping[int, int], wanted: Iterable[float]) -> dict[float, float]:
    """Estimate percentiles from buckets, ms.

    Args:
        counts: durations by bucket.
        wanted: percentiles, 0 .. 100.

    Returns:
        ms by percentile, between buckets' ends by how far the rank lies in its bucket; all 0 where there are none.
    """
    total = sum(counts.values())
    ordered = sorted(counts.items())
    return {percentile: _at_rank_ms(ordered, total * percentile / 100) for percentile in wanted}


def _at_rank_ms(ordered: list[tuple[int, int]], rank: float) -> float:
    below = 0
    for bucket, count in ordered:
        if below + count >= rank:
            part = (rank - below) / count if count else 1.0
            if bucket == 0:
                return round(end_ms(0) * part, 3)
            begin = end_ms(bucket - 1)
            return round(begin * math.pow(end_ms(bucket) / begin, part), 3)
        below += count
    return round(end_ms(ordered[-1][0]), 3) if ordered else 0.0


class Histogram:
    """A histogram of durations.

    Attributes:
        counts: by bucket; only those that have some.
        sum_us: of all, in microseconds.
    """

    __slots__ = ("counts", "sum_us")

    def __init__(self, counts: dict[int, int] | None = None, sum_us: int = 0) -> None:
        self.counts = {} if counts is None else counts
        self.sum_us = sum_us

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and (self.counts, self.sum_us) == (other.counts, other.sum_us)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Histogram of {self.count}, {self.sum_us} us in all>"

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, duration_ms: int) -> None:
        """Count one duration."""
        if 0 <= duration_ms < _LOOKED_UP:
            bucket = _BUCKETS[duration_ms]
            self.sum_us += duration_ms * 1000
        else:
            bucket = bucket_of(duration_ms)
            self.sum_us += max(duration_ms, 0) * 1000
        counts = self.counts
        counts[bucket] = counts.get(bucket, 0) + 1

    def absorb(self, other: "Histogram") -> None:
        """Add all of another histogram's counts."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.sum_us += other.sum_us
