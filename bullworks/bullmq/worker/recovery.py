"""Reclaimer: brings back jobs that a fetch took whose reply was lost.

Such jobs lie in `active` under a lock of this worker, which does not know of them. Every fetch has a token of its
own, so the lost one's jobs are known by it: they return to the head of their lines, before anything else is taken.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import detached, trace
from bullworks.redis.errors import RedisError
from bullworks.redis.pace import Pace

log = logging.getLogger(__name__)

# Redis may run a lost fetch late: behind a black hole it notices only after the wait of the fetch is over.
_LOOK_AGAIN_S = 5.0
_LOOKS = 4


class Reclaimer:
    """Runs only after a fault, in one task; between `begin` and `end` nothing else may be taken."""

    def __init__(self, scripts: Scripts, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._scripts = scripts
        self._begin = begin
        self._end = end
        self._looks: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_urgent = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._hurry = asyncio.Event()
        self._pace = Pace(log, f"queue {scripts.keys.name}: reclaiming jobs of a lost fetch")

    def lost(self, token: str) -> None:
        """The reply to the fetch with this token will not come."""
        self._looks[token] = _LOOKS
        self._is_urgent = True
        self._settled.clear()
        self._hurry.set()
        self._begin()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"reclaimer:{self._scripts.keys.name}")

    async def settle(self, timeout_s: float) -> None:
        """Wait until what was lost last has been looked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_s)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while self._looks:
            tokens = list(self._looks)
            self._hurry.clear()
            try:
                returned = await self._scripts.reclaim(tokens)
            except RedisError as error:
                await self._pace.wait(error)
                continue
            self._pace.reset()
            if returned:
                log.info(
                    "queue %s: %d jobs of a lost fetch are back in line",
                    self._scripts.keys.name,
                    len(returned),
                    extra={"queue": self._scripts.keys.name, "job_ids": returned[:100]},
                )
            for token in tokens:
                self._looks[token] -= 1
                if self._looks[token] <= 0:
                    del self._looks[token]
            if self._is_urgent and set(self._looks) <= set(tokens):
                self._is_urgent = False
                self._settled.set()
                self._end()
            if self._looks and not self._is_urgent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _LOOK_AGAIN_S)


log = logging.getLogger(__name__)


class StalledChecker:
    """Checks when it starts, and then every `interval_ms`.

    A job counts as stalled when it was active at one check and has no lock at the next.
    """

    def __init__(
        self, scripts: Scripts, interval_ms: int, max_stalled_count: int, on_stalled: Callable[[str], None]
    ) -> None:
        self._scripts = scripts
        self._interval_ms = interval_ms
        self._max_stalled_count = max_stalled_count
        self._on_stalled = on_stalled
        self._task: asyncio.Task[None] | None = None
        self._pace = Pace(log, f"queue {scripts.keys.name}: checking for stalled jobs")

    def start(self) -> None:
        """Go on until `close`; a second call does nothing."""
        if self._task is not None:
            return
        with detached(self._scripts.tracing):
            self._task = asyncio.create_task(self._run(), name=f"stalled-checker:{self._scripts.keys.name}")

    async def check(self) -> list[str]:
        """Check now, unless somebody did within the interval. Returns the ids that went back to wait."""
        with trace(self._scripts.tracing, "moveStalledJobsToWait") as span:
            stalled = await self._scripts.check_stalled(self._interval_ms, self._max_stalled_count)
            span.set_attributes({TelemetryAttributes.WORKER_STALLED_JOBS: stalled})
            for job_id in stalled:
                span.add_event("job stalled", {TelemetryAttributes.JOB_ID: job_id})
        for job_id in stalled:
            log.warning(
                "job %s stalled, back to wait: its worker vanished, or lost its lock",
                job_id,
                extra={"queue": self._scripts.keys.name, "job_id": job_id},
            )
            self._on_stalled(job_id)
        return stalled

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.check()
            except RedisError as error:
                await self._pace.wait(error)
            else:
                self._pace.reset()
                await asyncio.sleep(self._interval_ms / 1000)
