"""ManualProcessing: what a worker offers to who takes and finishes jobs by hand, in place of a processor."""

import asyncio
from abc import ABC, abstractmethod
from typing import Generic

from bullworks.bullmq.job.job import D, Job, R
from bullworks.bullmq.options import checks
from bullworks.bullmq.telemetry.interface import SpanKind
from bullworks.bullmq.telemetry.job_tracing import source_of
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import payload
from bullworks.bullmq.worker.engine import Engine
from bullworks.bullmq.worker.intake import LIMITED
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.redis import ConnectionLostError


class ManualProcessing(ABC, Generic[D, R]):
    """Manual processing, as a base of Worker. Needs no `run` or `start`; `close` closes the connections.

    The lock of a job that was taken so is not renewed: call `job.extend_lock`, or make `lock_duration` long enough.
    """

    opts: WorkerOpts
    queue_name: str
    _engine: Engine

    def __init__(self) -> None:
        # One connection can wait for one job at a time.
        self._turn = asyncio.Lock()

    async def wait_until_ready(self) -> None:
        """Connect to Redis.

        Raises:
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        await self._engine.connect()

    async def get_next_job(self, token: str, *, block: bool = True) -> Job[D, R] | None:
        """Take a job by hand; end it with `move_to_completed`, `move_to_failed` or another of its moves.

        Args:
            token: of your own, at best a fresh one for each job: whoever knows it may end the job.
            block: where there is none, wait for one, up to `drain_delay`.

        Returns:
            The job; None: there was none, or the worker is paused or closed, or the rate is limited.
        """
        checks.text("token", token)
        job: Job | None = await self._take(token, block=block)
        tracing = self._engine.tracing
        if tracing is not None:
            self._tell_taken(tracing, job, block=block)
        return job

    @abstractmethod
    def _accepts_jobs(self) -> bool:
        """Whether jobs may be taken now."""

    async def _take(self, token: str, *, block: bool) -> Job | None:
        """The next job, locked with `token`; with `block`, wait for one.

        A job whose fetch broke off may lie in `active` until its lock expires; a stalled check brings it back.
        """
        if not self._accepts_jobs():
            return None
        job, state, due_ms = await self._engine.scripts.fetch_one(token)
        # While the rate is limited, waiting would only take the marker from those who may go on.
        if job is not None or not block or state == LIMITED:
            return job
        async with self._turn:
            return await self._wait_for_one(token, None if due_ms < 0 else due_ms) if self._accepts_jobs() else None

    async def _wait_for_one(self, token: str, due_ms: int | None) -> Job | None:
        try:
            marker = await self._engine.wait.until_marked(due_ms)
            if self._accepts_jobs():
                job, _, _ = await self._engine.scripts.fetch_one(token)
                return job
            if marker is not None:
                await self._engine.wait.give_back(marker)
        except ConnectionLostError:
            if self._accepts_jobs():
                raise
        return None

    def _tell_taken(self, tracing: Tracing, job: Job | None, *, block: bool) -> None:
        """Of the job's own trace, which is known once there is a job: so this tells that it was taken, not how long."""
        telemetry = tracing.telemetry
        source = None if job is None else source_of(job)
        context = None if source is None else telemetry.from_metadata(telemetry.active(), source)
        span = tracing.start("getNextJob", SpanKind.INTERNAL, self.queue_name, context)
        taken = {} if job is None else {TelemetryAttributes.JOB_ID: job.id}
        options = payload.encode({"block": block}).decode()
        span.set_attributes({**tracing.worker, **taken, TelemetryAttributes.WORKER_OPTIONS: options})
        span.end()

    async def run_stalled_check(self) -> list[str]:
        """Recover stalled jobs, unless any worker did within `stalled_interval`.

        A job has stalled that was active at one check and has no lock at the next.

        Returns:
            The ids of the jobs that wait again.
        """
        return await self._engine.stalled.check()

    async def start_stalled_check_timer(self) -> None:
        """Recover stalled jobs now and every `stalled_interval` until the worker closes; `start` does so by itself."""
        with trace(self._engine.tracing, "startStalledCheckTimer"):
            if not self.opts.skip_stalled_check:
                self._engine.stalled.start()
