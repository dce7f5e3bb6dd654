"""QueueLimits: how many jobs the whole fleet, of whatever language, may start and run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.options import checks
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import codec


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rate limit: at most `max` jobs are started per `duration_ms`."""

    max: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class QueueMeta:
    """A queue's settings in Redis; None means not set.

    Attributes:
        version: of who made the queue known, as in `bullmq:6.7.0`.
        concurrency: jobs that may be active at once.
        rate_limit: jobs that may be started per time.
        max_len_events: events kept, about.
        other: fields that are none of these, by their names in Redis.
    """

    version: str | None
    is_paused: bool
    concurrency: int | None
    rate_limit: RateLimit | None
    max_len_events: int | None
    other: Mapping[str, str] = field(default_factory=dict)


class QueueLimits:
    """The limits of Queue. A queue's own limit is stored in Redis and overrides those of its workers.

    All raise ServerError, ConnectionLostError and ConnectError, as `add` does.
    """

    scripts: Scripts
    tracing: Tracing | None

    async def rate_limit(self, duration: Duration) -> None:
        """Let no worker of this library take a job for `duration`; active jobs continue.

        A handler that was turned away by what it calls then raises RateLimitError, and its job is tried again.
        """
        duration_ms = checked_ms("duration", duration, least=1)
        with trace(self.tracing, "rateLimit", attributes={TelemetryAttributes.QUEUE_RATE_LIMIT: duration_ms}):
            await self.scripts.rate_limit(duration_ms)

    async def get_rate_limit_ttl(self, max_jobs: int | None = None) -> int:
        """Read the remaining time of the rate limit in effect, ms; -2 if there is none.

        Args:
            max_jobs: answer 0 unless so many jobs have been started in it: whether it is used up.
        """
        used, ttl_ms = await self.scripts.read_limiter()
        if max_jobs is None:
            return ttl_ms
        return max(ttl_ms, 0) if used >= checks.whole("max_jobs", max_jobs, 1) else 0

    async def remove_rate_limit_key(self) -> bool:
        """End the rate limit in effect, manual or not. False if there was none."""
        return await self.scripts.remove_limiter()

    async def set_global_rate_limit(self, max_jobs: int, duration: Duration) -> None:
        """Start at most `max_jobs` per `duration`, over all workers; overrides the workers' limiters."""
        await self.scripts.set_meta(
            max=checks.whole("max_jobs", max_jobs, 1), duration=checked_ms("duration", duration, least=1)
        )

    async def get_global_rate_limit(self) -> RateLimit | None:
        """Read the queue's global rate limit; None if none is set."""
        return _rate_limit(await self.scripts.read_meta())

    async def remove_global_rate_limit(self) -> bool:
        """Remove the queue's global rate limit. False if none was set."""
        return await self.scripts.remove_meta("max", "duration")

    async def set_global_concurrency(self, concurrency: int) -> None:
        """Limit how many jobs may be active at once, over all workers."""
        await self.scripts.set_meta(concurrency=checks.whole("concurrency", concurrency, 1))

    async def get_global_concurrency(self) -> int | None:
        """Read the queue's global concurrency; None if none is set."""
        return _number(await self.scripts.read_meta(), "concurrency")

    async def remove_global_concurrency(self) -> bool:
        """Remove the queue's global concurrency. False if none was set."""
        return await self.scripts.remove_meta("concurrency")

    async def is_maxed(self) -> bool:
        """Whether the number of active jobs has reached the global concurrency."""
        concurrency = await self.get_global_concurrency()
        return concurrency is not None and await self.scripts.count_active() >= concurrency

    async def get_meta(self) -> QueueMeta:
        """The queue's settings in Redis."""
        meta = await self.scripts.read_meta()
        known = {"version", "paused", "concurrency", "max", "duration", codec.MAX_LEN_EVENTS}
        return QueueMeta(
            version=meta.get("version"),
            is_paused="paused" in meta,
            concurrency=_number(meta, "concurrency"),
            rate_limit=_rate_limit(meta),
            max_len_events=_number(meta, codec.MAX_LEN_EVENTS),
            other={name: value for name, value in meta.items() if name not in known},
        )

    async def get_version(self) -> str | None:
        """Read the library and version that registered the queue; None if it is not registered yet."""
        return (await self.get_meta()).version


def _rate_limit(meta: Mapping[str, str]) -> RateLimit | None:
    max_jobs, duration_ms = _number(meta, "max"), _number(meta, "duration")
    return None if max_jobs is None or duration_ms is None else RateLimit(max_jobs, duration_ms)


def _number(meta: Mapping[str, str], name: str) -> int | None:
    value = meta.get(name)
    return None if value is None else int(float(value))
