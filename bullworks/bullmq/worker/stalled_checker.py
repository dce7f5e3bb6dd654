"""StalledChecker: brings back the jobs of workers that vanished."""

import asyncio
import logging
from collections.abc import Mapping

from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.worker import WorkerScripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import detached, trace
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis import Pace, RedisError

log = logging.getLogger(__name__)

# Of a crash with more jobs the number tells enough.
_MOST_LINES = 100


class StalledChecker:
    """Checks for stalled jobs at start, and then every `interval_ms`.

    A job counts as stalled when it has no lock at two of these checks: at the first one after Redis was away no lock is
    left, of the living as of the dead, and the living renew theirs before the next. A check by hand asks for less, as
    npm bullmq does: that the job was active at the last one.

    Args:
        locks: those of this worker, which are renewed before each check.
    """

    def __init__(
        self,
        scripts: Scripts,
        worker_scripts: WorkerScripts,
        locks: Mapping[str, str],
        reporter: Reporter,
        supervisor: Supervisor,
        *,
        interval_ms: int,
        max_stalled_count: int,
    ) -> None:
        self._scripts = scripts
        self._worker_scripts = worker_scripts
        self._locks = locks
        self._interval_ms = interval_ms
        self._max_stalled_count = max_stalled_count
        self._reporter = reporter
        self._loop = supervisor.background("stalled-checker", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: checking for stalled jobs")

    def start(self) -> None:
        """Start checking until `close`; a second call does nothing."""
        with detached(self._scripts.tracing):
            self._loop.start()

    async def check(self, *, confirms: bool = False) -> list[str]:
        """Check now, unless any worker did within the interval. Returns the ids of jobs moved back to wait.

        Args:
            confirms: that a job had no lock at the last check either.
        """
        with trace(self._scripts.tracing, "moveStalledJobsToWait") as span:
            stalled = await self._scripts.check_stalled(self._interval_ms, self._max_stalled_count, confirms=confirms)
            span.set_attributes({TelemetryAttributes.WORKER_STALLED_JOBS: stalled})
            for job_id in stalled:
                span.add_event("job stalled", {TelemetryAttributes.JOB_ID: job_id})
        for job_id in stalled[:_MOST_LINES]:
            log.warning(
                "job %s stalled, back to wait: its worker vanished, or lost its lock",
                job_id,
                extra={"queue": self._scripts.keys.name, "job_id": job_id},
            )
        if len(stalled) > _MOST_LINES:
            log.warning("queue %s: %d jobs stalled, back to wait", self._scripts.keys.name, len(stalled))
        for job_id in stalled:
            self._reporter.stalled(job_id)
        return stalled

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        while True:
            try:
                if self._locks:
                    await self._worker_scripts.take_back(dict(self._locks))
                await self.check(confirms=True)
            except RedisError as error:
                await self._pace.wait(error)
            else:
                self._pace.reset()
                await asyncio.sleep(self._interval_ms / 1000)
