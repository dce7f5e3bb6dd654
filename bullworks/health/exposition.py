"""What Prometheus gets: a reading as metrics, in its text format."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from bullworks.health.reading import CronReading, FleetReading, QueueReading, Reading, WorkerReading
from bullworks.workers.history import Histogram, end_ms

# Of the many buckets that are kept each fourth is shown, a power of two in ms: from 1 ms to 35 minutes.
_LIMITS_MS = [2.0**exponent for exponent in range(22)]
_LIMITS = [repr(limit_ms / 1000) for limit_ms in _LIMITS_MS]

_Value = tuple[str, float]


def format_metrics(reading: Reading, histogram_queues: int, accepted: str) -> tuple[bytes, str]:
    """Format a reading in Prometheus' text format; also returns the content type.

    Args:
        histogram_queues: how many queues have histograms, the busiest first: each has 48 series.
        accepted: what the Accept header says.
    """
    registry = CollectorRegistry()
    registry.register(_Readings(reading, histogram_queues))
    if reading.process is not None:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
    encode, content_type = choose_encoder(accepted)
    return encode(registry), content_type


class _Readings(Collector):
    def __init__(self, reading: Reading, histogram_queues: int) -> None:
        self._reading = reading
        self._histogram_queues = histogram_queues

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("bullworks", "The service", {"version": __version__})
        if self._reading.is_redis_up is not None:
            yield GaugeMetricFamily(
                "bullworks_redis_up",
                "Whether Redis answered; with 0 the metrics of the fleet are missing",
                value=float(self._reading.is_redis_up),
            )
        if self._reading.fleet is not None:
            yield from _fleet(self._reading.fleet, self._histogram_queues)
        if self._reading.process is not None:
            yield from _process(self._reading.process)


def _fleet(fleet: FleetReading, histogram_queues: int) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("bullworks_jobs", "Jobs in the queue, by state", labels=["queue", "state"])
    for queue in fleet.queues:
        for state, count in queue.counts.items():
            jobs.add_metric([queue.name, state], count)
    yield jobs
    yield from _settings(fleet.queues)
    yield from _counters(fleet.queues)
    busiest = sorted(fleet.queues, key=lambda queue: queue.ever.completed + queue.ever.failed, reverse=True)
    shown = busiest[:histogram_queues]
    yield _histogram("bullworks_job_duration_seconds", "How long attempts ran", "run", shown)
    yield _histogram("bullworks_job_wait_seconds", "How long jobs were due before their first attempt", "wait", shown)
    yield from _crons(fleet.crons)
    yield GaugeMetricFamily("bullworks_locks_held", "Distributed locks that are held", value=fleet.locks)


def _settings(queues: Sequence[QueueReading]) -> Iterator[Metric]:
    yield _gauge(
        "bullworks_oldest_waiting_job_seconds",
        "How long the oldest job has waited; 0 if none waits",
        "queue",
        ((queue.name, (queue.oldest_ms or 0) / 1000) for queue in queues),
    )
    yield _gauge(
        "bullworks_queue_paused",
        "Whether the queue is paused",
        "queue",
        ((queue.name, queue.is_paused) for queue in queues),
    )
    yield _gauge(
        "bullworks_queue_concurrency_limit",
        "How many jobs the whole fleet may run at once; absent without a limit",
        "queue",
        ((queue.name, queue.concurrency) for queue in queues if queue.concurrency is not None),
    )
    yield _gauge(
        "bullworks_queue_rate_limited_seconds",
        "For how long the rate limit lets no job start; 0 if jobs may start",
        "queue",
        ((queue.name, queue.rate_limit_ttl_ms / 1000) for queue in queues),
    )


def _counters(queues: Sequence[QueueReading]) -> Iterator[Metric]:
    yield _counter(
        "bullworks_jobs_processed",
        "Jobs that ended for good, completed or failed",
        ((queue.name, queue.ever.completed + queue.ever.failed) for queue in queues),
    )
    yield _counter(
        "bullworks_jobs_failed",
        "Jobs that failed for good",
        ((queue.name, queue.ever.failed) for queue in queues),
    )
    yield _counter(
        "bullworks_attempts_retried",
        "Attempts that failed, of jobs that had another",
        ((queue.name, queue.ever.retried) for queue in queues),
    )


def _crons(crons: Sequence[CronReading]) -> Iterator[Metric]:
    yield _gauge(
        "bullworks_cron_last_run_timestamp_seconds",
        "When the last run began",
        "cron",
        ((cron.name, cron.last_run_ms / 1000) for cron in crons if cron.last_run_ms is not None),
    )
    yield _gauge(
        "bullworks_cron_last_success_timestamp_seconds",
        "When the last run without an error began",
        "cron",
        ((cron.name, cron.last_success_ms / 1000) for cron in crons if cron.last_success_ms is not None),
    )
    yield _gauge(
        "bullworks_cron_missed_ticks",
        "Ticks that ran nowhere, of the last 100 that are kept",
        "cron",
        ((cron.name, cron.misses) for cron in crons),
    )


def _process(workers: Mapping[str, WorkerReading]) -> Iterator[Metric]:
    yield _gauge(
        "bullworks_process_worker_slots",
        "How many jobs the workers of the process that answers run at once",
        "queue",
        ((queue, worker.slots) for queue, worker in workers.items()),
    )
    yield _gauge(
        "bullworks_process_running_jobs",
        "Jobs that run in the process that answers",
        "queue",
        ((queue, worker.running) for queue, worker in workers.items()),
    )
    yield _counter(
        "bullworks_process_jobs_stalled",
        "Jobs that the process that answers found stalled",
        ((queue, worker.stalled) for queue, worker in workers.items()),
    )


def _gauge(name: str, text: str, label: str, values: Iterable[_Value]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for labelled, value in values:
        family.add_metric([labelled], value)
    return family


def _counter(name: str, text: str, values: Iterable[_Value]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["queue"])
    for queue, value in values:
        family.add_metric([queue], value)
    return family


def _histogram(name: str, text: str, which: str, queues: Sequence[QueueReading]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["queue"])
    for queue in queues:
        histogram: Histogram = getattr(queue.ever, which)
        family.add_metric([queue.name], _cumulate(histogram.counts), histogram.sum_us / 1e6)
    return family


def _cumulate(counts: Mapping[int, int]) -> list[tuple[str, float]]:
    """Prometheus's buckets: how many took at most so many seconds."""
    shown = [0] * (len(_LIMITS) + 1)
    for bucket, count in counts.items():
        shown[bisect_left(_LIMITS_MS, end_ms(bucket))] += count
    return list(zip((*_LIMITS, "+Inf"), accumulate(shown), strict=True))
