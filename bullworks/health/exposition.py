"""What Prometheus gets: readings of queues as metrics, in its text format."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

from bullworks.extras import require

require("metrics", "/metrics")

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bullworks import __version__
from bullworks.health.reading import QueueReading
from bullworks.workers.history import Histogram, end_ms

# Of the many buckets that are kept each fourth is shown, a power of two in ms: from 1 ms to 35 minutes.
_LIMITS_MS = [2.0**exponent for exponent in range(22)]
_LIMITS = [repr(limit_ms / 1000) for limit_ms in _LIMITS_MS]


def format_metrics(readings: list[QueueReading], running: Mapping[str, int], accepted: str) -> tuple[bytes, str]:
    """Format readings in Prometheus' text format; also returns the content type.

    Args:
        running: how many jobs run in this process, by queue.
        accepted: what the Accept header says.
    """
    registry = CollectorRegistry()
    registry.register(_Readings(readings, running))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    encode, content_type = choose_encoder(accepted)
    return encode(registry), content_type


class _Readings(Collector):
    def __init__(self, readings: list[QueueReading], running: Mapping[str, int]) -> None:
        self._readings = readings
        self._running = running

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("bullworks", "The service", {"version": __version__})
        jobs = GaugeMetricFamily("bullworks_jobs", "Jobs in the queue, by state", labels=["queue", "state"])
        oldest = GaugeMetricFamily(
            "bullworks_oldest_waiting_job_seconds",
            "How long the oldest job has waited; 0 if none waits",
            labels=["queue"],
        )
        for reading in self._readings:
            for state, count in reading.counts.items():
                jobs.add_metric([reading.name, state], count)
            oldest.add_metric([reading.name], (reading.oldest_ms or 0) / 1000)
        yield jobs
        yield oldest
        running = GaugeMetricFamily(
            "bullworks_process_running_jobs", "Jobs that run in the process that answers", labels=["queue"]
        )
        for queue, count in self._running.items():
            running.add_metric([queue], count)
        yield running
        yield from self._counters()
        yield self._histogram("bullworks_job_duration_seconds", "How long attempts ran", "run")
        yield self._histogram("bullworks_job_wait_seconds", "How long jobs were due before their first attempt", "wait")

    def _counters(self) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "bullworks_jobs_processed", "Jobs that ended for good, completed or failed", labels=["queue"]
        )
        failed = CounterMetricFamily("bullworks_jobs_failed", "Jobs that failed for good", labels=["queue"])
        retried = CounterMetricFamily(
            "bullworks_attempts_retried", "Attempts that failed, of jobs that had another", labels=["queue"]
        )
        for reading in self._readings:
            ended.add_metric([reading.name], reading.ever.completed + reading.ever.failed)
            failed.add_metric([reading.name], reading.ever.failed)
            retried.add_metric([reading.name], reading.ever.retried)
        return iter((ended, failed, retried))

    def _histogram(self, name: str, text: str, which: str) -> Metric:
        family = HistogramMetricFamily(name, text, labels=["queue"])
        for reading in self._readings:
            histogram: Histogram = getattr(reading.ever, which)
            family.add_metric([reading.name], _cumulate(histogram.counts), histogram.sum_us / 1e6)
        return family


def _cumulate(counts: Mapping[int, int]) -> list[tuple[str, float]]:
    """Prometheus's buckets: how many took at most so many seconds."""
    shown = [0] * (len(_LIMITS) + 1)
    for bucket, count in counts.items():
        shown[bisect_left(_LIMITS_MS, end_ms(bucket))] += count
    return list(zip((*_LIMITS, "+Inf"), accumulate(shown), strict=True))
