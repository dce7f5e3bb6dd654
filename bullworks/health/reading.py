"""What metrics tell at one moment: of the queues, crons and locks of the fleet, and of this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bullworks.workers.history import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReading:
    """The state of one queue.

    Args:
        counts: jobs by state.
        oldest_ms: how long the oldest job has waited; None means none waits.
        ever: what was recorded of it.
        concurrency: of the whole fleet; None means no limit.
        rate_limit_ttl_ms: for how long no job is taken; 0 means jobs are taken.
    """

    name: str
    counts: Mapping[str, int]
    oldest_ms: int | None
    ever: Tally
    is_paused: bool
    concurrency: int | None
    rate_limit_ttl_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CronReading:
    """The recorded runs of one cron.

    Args:
        last_run_ms, last_success_ms: when the last run, and the last one without an error, began; None means never.
        misses: ticks that ran nowhere, of the last 100 listed.
    """

    name: str
    last_run_ms: int | None
    last_success_ms: int | None
    misses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReading:
    """The metrics of the fleet, read from Redis: the same whichever process asks.

    Args:
        locks: how many are held.
    """

    queues: Sequence[QueueReading] = ()
    crons: Sequence[CronReading] = ()
    locks: int = 0


@dataclass(slots=True)
class WorkerReading:
    """The workers of one queue in this process.

    Args:
        slots: how many jobs they run at once.
        stalled: jobs that they found stalled, since the process started.
    """

    slots: int = 0
    running: int = 0
    stalled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The metrics of one moment: of the fleet, and of the process that answers.

    Args:
        fleet: None means it was not asked for, or Redis did not answer.
        is_redis_up: None means Redis was not asked.
        process: by queue; None means it was not asked for.
    """

    fleet: FleetReading | None = None
    is_redis_up: bool | None = None
    process: Mapping[str, WorkerReading] | None = field(default=None)
