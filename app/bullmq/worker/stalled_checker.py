"""StalledChecker: brings back jobs of workers that vanished; one check per interval in the whole fleet."""

import asyncio
import logging
from collections.abc import Callable

from app.bullmq.scripts import Scripts
from app.bullmq.telemetry.names import TelemetryAttributes
from app.bullmq.telemetry.tracing import detached, trace
from app.bullmq.worker.pace import Pace
from app.redis.errors import RedisError

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
