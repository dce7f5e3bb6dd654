"""StalledChecker: brings back the jobs of workers that vanished."""

import asyncio
import logging

from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import detached, trace
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis.errors import RedisError
from bullworks.redis.pace import Pace

log = logging.getLogger(__name__)


class StalledChecker:
    """Checks when it starts, and then every `interval_ms`.

    A job counts as stalled when it was active at one check and has no lock at the next.
    """

    def __init__(
        self,
        scripts: Scripts,
        reporter: Reporter,
        supervisor: Supervisor,
        *,
        interval_ms: int,
        max_stalled_count: int,
    ) -> None:
        self._scripts = scripts
        self._interval_ms = interval_ms
        self._max_stalled_count = max_stalled_count
        self._reporter = reporter
        self._loop = supervisor.background("stalled-checker", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: checking for stalled jobs")

    def start(self) -> None:
        """Go on until `close`; a second call does nothing."""
        with detached(self._scripts.tracing):
            self._loop.start()

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
            self._reporter.stalled(job_id)
        return stalled

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.check()
            except RedisError as error:
                await self._pace.wait(error)
            else:
                self._pace.reset()
                await asyncio.sleep(self._interval_ms / 1000)
