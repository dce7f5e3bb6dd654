"""What the board asks of a source of history: plain values, so that a source needs to import nothing from here."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

SeriesMetric = Literal["completed", "failed", "queueage"]
LatencyMetric = Literal["runtime", "waittime"]
Granularity = Literal["hour", "day"]
"""What Bull Board's contract asks for; our own charts show minutes as well."""
LatencyGranularity = Literal["hour", "day", "range"]
Tier = Literal["minute", "hour", "day"]
LatencyTier = Literal["minute", "hour", "day", "range"]


class HistorySource(Protocol):
    """Counts and latencies of the past; `queue` None means all queues. Times are ms since the epoch, in UTC."""

    async def series(
        self, metric: SeriesMetric, /, *, queue: str | None, from_ms: int, to_ms: int, granularity: Tier
    ) -> Sequence[tuple[int, float]]:
        """Read a metric per minute, hour or day, oldest first: (start, value).

        `completed` and `failed` are jobs that ended in it; `queueage` is how long the oldest job waited, ms. Those
        without a sample may be left out, and so may all minutes, where a source keeps none.
        """
        ...

    async def latency(
        self,
        metric: LatencyMetric,
        /,
        *,
        queue: str | None,
        from_ms: int,
        to_ms: int,
        granularity: LatencyTier,
        percentiles: Sequence[float],
    ) -> Sequence[tuple[int, int, Mapping[float, float]]]:
        """Read run or wait times, oldest first: (start, samples, {percentile: ms}).

        With granularity `range` there is one entry, for all from `from_ms` to `to_ms`. Percentiles are 0 .. 100.
        """
        ...

    async def usage(self) -> Mapping[str, Any]:
        """Read the memory that the history uses, in the form of Bull Board's contract.

        {keys, bytes, minutes, oldestDay: "YYYY-MM-DD" | None, newestDay, tiers: {minute, hour, day: {keys, bytes}},
        queues: [{queue, keys, bytes, minutes, days: ["YYYY-MM-DD"], tiers}]}
        """
        ...

    async def purge(self, *, queue: str | None, before: str | None) -> tuple[int, int]:
        """Remove the days before `before` (`YYYY-MM-DD`), or everything. Returns how many keys and fields."""
        ...
