"""What workers did, by minute, hour and day: recorded in Redis by each process, and read for charts and metrics."""

from app.workers.history.buckets import Histogram, end_ms, percentiles_ms
from app.workers.history.module import HistoryModule
from app.workers.history.reader import RedisHistory
from app.workers.history.recorder import HistoryRecorder
from app.workers.history.scripts import oldest_waiting
from app.workers.history.tally import Tally

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
