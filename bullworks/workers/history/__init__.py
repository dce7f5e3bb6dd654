"""What workers did, by minute, hour and day: recorded in Redis by each process, and read for charts and metrics."""

from bullworks.workers.history.buckets import Histogram, end_ms, percentiles_ms
from bullworks.workers.history.module import HistoryModule
from bullworks.workers.history.reader import RedisHistory
from bullworks.workers.history.recorder import HistoryRecorder
from bullworks.workers.history.scripts import oldest_waiting
from bullworks.workers.history.tally import Tally

__all__ = [
    "Histogram",
    "HistoryModule",
    "HistoryRecorder",
    "RedisHistory",
    "Tally",
    "end_ms",
    "oldest_waiting",
    "percentiles_ms",
]
