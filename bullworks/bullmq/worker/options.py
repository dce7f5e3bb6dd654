"""The options of a worker, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypedDict

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.backoff import BackoffStrategy
from bullworks.bullmq.options.batch import Batch
from bullworks.bullmq.options.job import JobOptions
from bullworks.bullmq.options.retention import KEEP_ALL, Retention, RetentionValue
from bullworks.bullmq.telemetry.interface import Telemetry


class LimiterOptions(TypedDict):
    """Options of a rate limit: at most `max` jobs are started per `duration`, over the whole queue."""

    max: int
    duration: Duration


class MetricsOptions(TypedDict):
    """Options of metrics: completed and failed jobs are counted by minute, for `max_data_points` minutes."""

    max_data_points: int


class MetricsTime(IntEnum):
    """Numbers of minutes, for `max_data_points`."""

    ONE_MINUTE = 1
    FIVE_MINUTES = 5
    FIFTEEN_MINUTES = 15
    THIRTY_MINUTES = 30
    ONE_HOUR = 60
    ONE_WEEK = 60 * 24 * 7
    TWO_WEEKS = 60 * 24 * 14
    ONE_MONTH = 60 * 24 * 7 * 8  # BullMQ's own number; eight weeks


class WorkerOptions(TypedDict, total=False):
    """Options of `Worker`, all optional; names, units and defaults are BullMQ's where it has them.

    Attributes:
        name: of the worker, shown by getWorkers() and in each job's `processed_by`.
        concurrency: handlers at once, >= 1; default 1.
        batch: the handler is called with a list of jobs, see Batch; default: with one. `concurrency` counts calls then.
        lock_duration: a job whose worker vanished is free after it; default 30,000 ms, >= 100.
        lock_renew_time: locks are renewed so often; default half of lock_duration, >= 50.
        skip_lock_renewal: True leaves handlers to end within lock_duration, or their jobs run again elsewhere.
        stalled_interval: between checks for such jobs; default 30,000 ms, >= 100.
        max_stalled_count: how often a job may stall; once more and it fails; default 1.
        isolate_stalled: a job that stalled twice runs alone, so that one that kills its process harms no other; it
            fails only if it stalls alone.
        drain_delay: the longest wait for a job in one command; default 5,000 ms, 100 .. 10,000.
        skip_stalled_check: leave the checks to other workers.
        max_started_attempts: a job that was started more often is failed without being run; default: no limit.
        limiter: {"max", "duration"}.
        maximum_rate_limit_delay: while the rate is limited, whether it still is is asked so often; default 30,000 ms.
        metrics: {"max_data_points"}, see Queue.get_metrics; default: nothing is counted.
        timeout: for jobs without one of their own, or for a call with a batch; default none.
        backoff_strategy: (attempts_made, type, error, job) -> ms, for backoff types of your own.
        remove_on_complete, remove_on_fail: for jobs that do not say; default: keep all.
        dead_letter: jobs that fail for good are moved to this queue, True: to the queue's own name with `-dead` behind
            it; see Queue.dead_letters. They are kept until then, whatever remove_on_fail says; default: they stay.
        max_loop_block: with the event loop blocked for so long, its jobs are given to other workers; default 5 min.
        reply_timeout: a connection with no reply for so long counts as dead; default 10,000 ms.
        telemetry: what traces each job from where it was added, and counts how they end; default: nothing does.
    """

    name: str | None
    concurrency: int
    batch: Batch | None
    lock_duration: Duration
    lock_renew_time: Duration
    skip_lock_renewal: bool
    stalled_interval: Duration
    max_stalled_count: int
    isolate_stalled: bool
    skip_stalled_check: bool
    max_started_attempts: int | None
    drain_delay: Duration
    limiter: LimiterOptions | None
    maximum_rate_limit_delay: Duration
    metrics: MetricsOptions | None
    timeout: Duration | None
    backoff_strategy: BackoffStrategy | None
    remove_on_complete: RetentionValue
    remove_on_fail: RetentionValue
    dead_letter: str | bool
    max_loop_block: Duration
    reply_timeout: Duration
    telemetry: Telemetry[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOpts:
    """Worker options after validation; durations in ms."""

    name: str | None = None
    concurrency: int = 1
    batch: Batch | None = None
    lock_duration_ms: int = 30_000
    lock_renew_time_ms: int | None = None
    skip_lock_renewal: bool = False
    stalled_interval_ms: int = 30_000
    max_stalled_count: int = 1
    isolate_stalled: bool = True
    skip_stalled_check: bool = False
    max_started_attempts: int | None = None
    drain_delay_ms: int = 5_000
    limiter_max: int | None = None
    limiter_duration_ms: int | None = None
    maximum_rate_limit_delay_ms: int = 30_000
    max_data_points: int | None = None
    timeout_ms: int | None = None
    backoff_strategy: BackoffStrategy | None = None
    remove_on_complete: Retention = KEEP_ALL
    remove_on_fail: Retention = KEEP_ALL
    dead_letter: str | bool = False
    max_loop_block_ms: int = 300_000
    reply_timeout_ms: int = 10_000
    telemetry: Telemetry[Any] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "WorkerOpts":
        """Validate a user's worker options.

        Raises:
            InvalidOptionError: an unknown name (with the near one), a wrong type, a value out of range.
        """
        known = WorkerOptions.__annotations__
        for option in options:
            if option not in known:
                raise InvalidOptionError.unknown(option, known, of_jobs=JobOptions.__annotations__)
        checked: dict[str, Any] = {}
        for option, value in options.items():
            if value is not None:
                checked |= _check(option, value)
        opts = cls(**checked)
        if opts.renew_ms >= opts.lock_duration_ms:
            raise InvalidOptionError("lock_renew_time", f"must be less than lock_duration, not {opts.renew_ms} ms")
        return opts

    @property
    def places(self) -> int:
        """How many jobs may be held at once."""
        return self.concurrency if self.batch is None else self.concurrency * self.batch.size

    @property
    def renew_ms(self) -> int:
        """How often locks are renewed, ms."""
        return self.lock_duration_ms // 2 if self.lock_renew_time_ms is None else self.lock_renew_time_ms


_DURATIONS = {
    "lock_duration": 100,
    "lock_renew_time": 50,
    "maximum_rate_limit_delay": 100,
    "stalled_interval": 100,
    "drain_delay": 100,
    "timeout": 1,
    "max_loop_block": 1_000,
    "reply_timeout": 100,
}
_LONGEST_DRAIN_DELAY_MS = 10_000
_WHOLE = {"concurrency": 1, "max_stalled_count": 0, "max_started_attempts": 1}
_FLAGS = {"isolate_stalled", "skip_stalled_check", "skip_lock_renewal"}
# A script makes so many list entries at most.
_MOST_POINTS = 100_000


def _check(option: str, value: Any) -> dict[str, Any]:
    if option in _DURATIONS:
        return {f"{option}_ms": _ms(option, value, _DURATIONS[option])}
    if option in _WHOLE:
        return {option: checks.whole(option, value, _WHOLE[option])}
    if option in {"remove_on_complete", "remove_on_fail"}:
        return {option: Retention.of(value, option)}
    if option == "dead_letter" and not isinstance(value, bool):
        checks.text(option, value)
    if option == "limiter":
        return _limiter(value)
    if option == "metrics":
        return _metrics(value)
    if option == "name" and (not isinstance(value, str) or not value or not value.isprintable() or " " in value):
        raise InvalidOptionError(option, f"must be printable, with no spaces, not {value!r}")
    if option == "batch" and not isinstance(value, Batch):
        raise InvalidOptionError(option, f"must be a Batch, as in batch=Batch(size=100), not {value!r}")
    if option in _FLAGS:
        checks.flag(option, value)
    if option == "backoff_strategy" and not callable(value):
        raise InvalidOptionError(option, f"must be callable, not {value!r}")
    return {option: value}


def _limiter(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {"max", "duration"}:
        raise InvalidOptionError("limiter", f"must be {{'max': jobs, 'duration': ms}}, not {value!r}")
    return {
        "limiter_max": checks.whole("limiter.max", value["max"], 1),
        "limiter_duration_ms": _ms("limiter.duration", value["duration"], 1),
    }


def _metrics(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {"max_data_points"}:
        raise InvalidOptionError("metrics", f"must be {{'max_data_points': minutes}}, not {value!r}")
    return {"max_data_points": checks.whole("metrics.max_data_points", value["max_data_points"], 1, _MOST_POINTS)}


def _ms(option: str, value: Any, least: int) -> int:
    ms = checked_ms(option, value, least=least)
    if option == "drain_delay" and ms > _LONGEST_DRAIN_DELAY_MS:
        raise InvalidOptionError(option, f"must be at most {_LONGEST_DRAIN_DELAY_MS} ms, not {ms}")
    return ms
