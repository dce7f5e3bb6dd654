"""RecordedHistory: the board's charts and percentiles, read from what workers recorded (workers/history)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bullworks.board.history import HistorySource, LatencyMetric, LatencyTier, SeriesMetric, Tier
from bullworks.board.queues import BoardQueues
from bullworks.bullmq import Queue
from bullworks.workers.history import RedisHistory


class RecordedHistory(HistorySource):
    """Reads each queue's history from its own Redis; totals over all queues from the first queue's Redis.

    Args:
        queues: of the board, by the names that it shows.
    """

    def __init__(self, queues: BoardQueues) -> None:
        self._queues = queues

    async def series(
        self, metric: SeriesMetric, /, *, queue: str | None, from_ms: int, to_ms: int, granularity: Tier
    ) -> Sequence[tuple[int, float]]:
        history, name = self._of(queue)
        if history is None:
            return []
        return await history.series(metric, queue=name, from_ms=from_ms, to_ms=to_ms, granularity=granularity)

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
        history, name = self._of(queue)
        if history is None:
            return []
        return await history.latency(
            metric, queue=name, from_ms=from_ms, to_ms=to_ms, granularity=granularity, percentiles=percentiles
        )

    async def usage(self) -> Mapping[str, Any]:
        history, _ = self._of(None)
        return _NOTHING if history is None else await history.usage()

    async def purge(self, *, queue: str | None, before: str | None) -> tuple[int, int]:
        history, name = self._of(queue)
        return (0, 0) if history is None else await history.purge(queue=name, before=before)

    def _of(self, shown: str | None) -> tuple[RedisHistory | None, str | None]:
        """The history to ask, and the queue's own name; None means the board has no such queue."""
        entry = next(iter(self._queues), None) if shown is None else self._queues.get(shown)
        if entry is None:
            return None, None
        queue: Queue[Any] = entry.queue
        return RedisHistory(queue.connection, queue.keys.prefix), None if shown is None else queue.name


_TIER = {"keys": 0, "bytes": 0}
_NOTHING: Mapping[str, Any] = {
    "keys": 0,
    "bytes": 0,
    "minutes": 0,
    "oldestDay": None,
    "newestDay": None,
    "tiers": {"minute": _TIER, "hour": _TIER, "day": _TIER},
    "queues": [],
}
