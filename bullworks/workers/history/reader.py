"""RedisHistory: what was recorded, as series and percentiles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bullworks.workers.history.buckets import percentiles_ms
from bullworks.workers.history.keys import DAY_MS, KEPT_MS, HistorySlot, Tier, lives_ms
from bullworks.workers.history.tally import Tally
from bullworks.workers.history.upkeep import HistoryUpkeep, now_ms

SeriesMetric = Literal["completed", "failed", "retried", "queueage"]
LatencyMetric = Literal["runtime", "waittime"]


class RedisHistory(HistoryUpkeep):
    """Reads what `HistoryRecorder`s wrote for the queues of one prefix.

    Times are ms since the epoch, in UTC. `queue` None means all queues together. All raise RedisError.

    Args:
        connection: to the Redis of the queues.
        prefix: of the queues.
    """

    async def series(
        self, metric: SeriesMetric, /, *, queue: str | None, from_ms: int, to_ms: int, granularity: Tier
    ) -> list[tuple[int, float]]:
        """Read a metric per minute, hour or day, oldest first: (start, value).

        Those in which nothing happened are left out, and so is what is no longer kept.

        Args:
            metric: completed and failed: jobs that ended so; retried: attempts that failed, of jobs that had another;
                queueage: how long the oldest job of a line had waited, at most, ms.
        """
        tallies = await self._tallies(queue, granularity, from_ms, to_ms)
        return [(at_ms, _value(tally, metric)) for at_ms, tally in tallies]

    async def latency(
        self,
        metric: LatencyMetric,
        /,
        *,
        queue: str | None,
        from_ms: int,
        to_ms: int,
        granularity: Literal["minute", "hour", "day", "range"],
        percentiles: Sequence[float],
    ) -> list[tuple[int, int, Mapping[float, float]]]:
        """Read how long attempts ran, or jobs waited for their first: (start, samples, {percentile: ms}), oldest first.

        With `range` there is one entry, for all from `from_ms` to `to_ms`, in hours of the last month and days before.
        """
        if granularity == "range":
            tier: Tier = "hour" if from_ms >= now_ms() - KEPT_MS["hour"] else "day"
            together = Tally()
            for _, tally in await self._tallies(queue, tier, from_ms, to_ms):
                together.absorb(tally)
            tallies = [(from_ms, together)]
        else:
            tallies = await self._tallies(queue, granularity, from_ms, to_ms)
        found = [(at_ms, tally.run if metric == "runtime" else tally.wait) for at_ms, tally in tallies]
        return [(at_ms, each.count, percentiles_ms(each.counts, percentiles)) for at_ms, each in found]

    async def ever(self, queues: Iterable[str]) -> dict[str, Tally]:
        """Read each queue's all-time tally; it grows until purged or the queue is unused for 400 days."""
        names = list(queues)
        texts = await self._ask(("GET", self._keys.ever(name)) for name in names)
        return {name: Tally() if text is None else _readable(text) for name, text in zip(names, texts, strict=True)}

    async def _tallies(self, queue: str | None, tier: Tier, from_ms: int, to_ms: int) -> list[tuple[int, Tally]]:
        # What is asked for is bounded by what can be there, give or take a clock that is wrong by a day.
        from_ms = max(from_ms, now_ms() - lives_ms(tier) - DAY_MS)
        places = list(self._keys.places(queue, tier, from_ms, min(to_ms, now_ms() + DAY_MS)))
        asked: dict[str, list[HistorySlot]] = {}
        for place in places:
            asked.setdefault(place.key, []).append(place)
        answers = await self._ask(("HMGET", key, *(place.field for place in group)) for key, group in asked.items())
        return [
            (place.at_ms, _readable(text))
            for group, texts in zip(asked.values(), answers, strict=True)
            for place, text in zip(group, texts, strict=True)
            if text is not None
        ]


def _value(tally: Tally, metric: SeriesMetric) -> float:
    if metric == "queueage":
        return float(tally.oldest_ms)
    return float({"completed": tally.completed, "failed": tally.failed, "retried": tally.retried}[metric])


def _readable(text: bytes) -> Tally:
    try:
        return Tally.decode(text)
    except ValueError:  # another program wrote it: it degrades that minute, never the page
        return Tally()
