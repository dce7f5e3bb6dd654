"""Recovery: brings back the jobs that nobody runs, of workers that vanished and of fetches whose reply was lost."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.worker import WorkerScripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import detached, trace
from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis import Pace, RedisError

log = logging.getLogger(__name__)

# Of a crash with more jobs the number tells enough.
_MOST_LINES = 100
# Redis may run a lost fetch late: behind a black hole it notices only after the wait of the fetch is over.
_LOOK_AGAIN_S = 5.0
_LOOKS = 4


class StalledChecker:
    """Brings back the jobs of workers that vanished: checks when it starts, and then every `interval_ms`.

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


class Reclaimer:
    """Brings back jobs that a fetch took whose reply was lost.

    Such jobs lie in `active` under a lock of this worker, which does not know of them. Every fetch has a token of its
    own, so the lost one's jobs are known by it: they return to the head of their lines. Until that is done nothing else
    may be taken.
    """

    def __init__(self, scripts: Scripts, intake: Intake, supervisor: Supervisor) -> None:
        self._scripts = scripts
        self._intake = intake
        self._looks: dict[str, int] = {}
        self._is_urgent = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._hurry = asyncio.Event()
        self._loop = supervisor.background("reclaimer", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: reclaiming jobs of a lost fetch")

    def start(self) -> None:
        self._loop.start()

    def lost(self, token: str) -> None:
        """The reply to the fetch with this token will not come."""
        self._looks[token] = _LOOKS
        self._is_urgent = True
        self._settled.clear()
        self._hurry.set()
        self._intake.hold_off()

    async def settle(self, timeout_s: float) -> None:
        """Wait until what was lost last has been looked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_s)

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        while True:
            tokens = list(self._looks)
            self._hurry.clear()
            if not tokens:
                await self._hurry.wait()
                continue
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
                self._intake.go_on()
            if self._looks and not self._is_urgent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _LOOK_AGAIN_S)
