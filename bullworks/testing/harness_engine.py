"""HarnessEngine: runs what a queue holds in memory, with the engine's own runner, rules and reporter."""

from itertools import count
from typing import Any, cast

from bullworks.bullmq import CancelReason, Job, Worker
from bullworks.bullmq.cancel.delivery import CancelDelivery
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.worker.batches.batches import Batches, BatchPlaces
from bullworks.bullmq.worker.batches.handler import BatchHandler
from bullworks.bullmq.worker.engine import Engine
from bullworks.bullmq.worker.job_sink import AttemptSink
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.runner import Runner
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis.background import BackgroundEndedError
from bullworks.testing.errors import NotSimulatedError, RunawayError
from bullworks.testing.harness_queue import HarnessQueue
from bullworks.testing.memory.jobs import MemoryJobs

# For async listeners of worker events, by the real clock.
_LISTENERS_S = 5.0


class HarnessEngine(Engine, AttemptSink, BatchPlaces):
    """The engine of a worker that is never started: `work_off` runs what is due, and returns.

    Args:
        worker: whose options hold, and which may be paused.
        queue: what belongs to Redis in a real worker is the queue's here: `rate_limit`, for one.
        errors: takes what handlers raise.
        most_runs: attempts in one call of `work_off`.
    """

    def __init__(
        self,
        worker: Worker[Any, Any],
        queue: HarnessQueue[Any],
        jobs: MemoryJobs,
        *,
        processor: Processor,
        reporter: Reporter,
        errors: list[BaseException],
        most_runs: int,
    ) -> None:
        super().__init__(
            queue.connection.endpoint,
            queue.keys,
            opts=worker.opts,
            processor=processor,
            reporter=reporter,
            supervisor=Supervisor(queue.name, _ignore_ended),
        )
        queue.memory_scripts.rules = self.scripts.rules
        self.scripts = queue.memory_scripts
        self._worker = worker
        self._memory = queue.memory_scripts
        self._memory_jobs = jobs
        self._processor = processor
        self._reporter = reporter
        self._errors = errors
        self._most_runs = most_runs
        self._tokens = count(1)
        self.busy = 0
        self._batches: Batches | None = None
        self._runs = 0
        self._is_working = False
        self._cancels = CancelDelivery(queue.name, self)
        jobs.on_cancelled = self._cancels.take

    def set_concurrency(self, concurrency: int) -> None:
        super().set_concurrency(concurrency)
        self.runner.set_concurrency(self._worker.opts.places)
        if self._batches is not None:
            self._batches.set_concurrency(concurrency)

    async def close(self) -> None:
        await self.runner.close()
        await super().close()

    async def work_off(self) -> None:
        """Run jobs, up to the worker's `concurrency` at once, until none is due.

        Raises:
            RunawayError: there is no end to it.
            NotSimulatedError: a handler asked for what a harness does not do.
        """
        self._runs, self._is_working = 0, True
        failed_before = len(self._errors)
        # One for each call, so that no slot outlives the test that forgot to close its harness.
        self.runner = runner = self._new_runner()
        try:
            while self._fill():
                await runner.wait_quiet()
                if self._batches is not None:
                    await self._batches.wait_quiet()
                await self._reporter.emitter.drain(_LISTENERS_S)
        finally:
            self._is_working = False
            self._cancels.close()
            await runner.close()
            if self._batches is not None:
                await self._batches.close()
        for error in self._errors[failed_before:]:
            if isinstance(error, NotSimulatedError):
                raise error
        if self._runs > self._most_runs:
            raise RunawayError(self._worker.queue_name, self._runs)

    def cancel(self, job_id: str, reason: CancelReason, *, token: str | None = None) -> bool:
        """Cancel the handler of an attempt. False if none runs for it."""
        return self.runner.cancel(job_id, reason, token=token)

    def look_again(self) -> None:
        """Run what is due beside a handler that waits for it, if there is a free slot."""
        if self._is_working:
            self._fill()

    def started(self, job: Job) -> None:
        """Emit the `active` event to local listeners."""
        self._reporter.active(job)

    def ended(self, outcome: Outcome) -> None:
        """Store the outcome at once."""
        if outcome.error is not None:
            self._errors.append(outcome.error)
        code = self._memory_jobs.finish(outcome)
        if code == 0:
            self._reporter.stored(outcome)
        else:
            self._reporter.refused(outcome, outcome_error(code, outcome.job.id, "storing its outcome"))

    def moved(self, job: Job) -> None:
        """Nothing to do: where its handler put the job, it is."""

    def freed(self, job: Job) -> None:  # noqa: ARG002 - one slot is as good as another
        """Let another job have the slot."""
        self.vacate(1)

    @property
    def expects_more(self) -> bool:
        """Never: what is due is taken all at once."""
        return False

    def occupy(self, places: int) -> None:
        """Take places that a small batch leaves empty."""
        self.busy += places

    def vacate(self, places: int) -> None:
        """Free places, and let other jobs have them."""
        self.busy -= places
        self._fill()

    def _new_runner(self) -> Runner:
        opts = self._worker.opts
        processor, jobs = self._processor, cast(AttemptSink, self)
        self._batches = None
        if opts.batch is not None:
            self._batches = jobs = Batches(
                BatchHandler.of(processor),
                opts.batch,
                self,
                self,
                queue_name=self._worker.queue_name,
                concurrency=opts.concurrency,
                timeout_ms=opts.timeout_ms,
            )
            self._batches.start()
            processor = self._batches.processor
        return Runner(
            processor,
            self._memory.rules,
            jobs,
            ScheduleKeeper(self._memory, self._worker.queue_name),
            concurrency=opts.places,
            timeout_ms=None if opts.batch is not None else opts.timeout_ms,
            supervisor=Supervisor(self._worker.queue_name, _ignore_ended),
        )

    def _fill(self) -> bool:
        """Start what may be started. False: nothing may, and nothing runs."""
        token = f"harness:{next(self._tokens)}"
        for entry in self._memory_jobs.take(self._room(), token):
            job = self._memory.job(entry.id, entry.fields, token)
            job.on_progress = self._reporter.progress
            self.busy += 1
            self._runs += 1
            self.runner.run(job)
        return self.busy > 0

    def _room(self) -> int:
        may_take = self._is_working and not self._worker.is_paused and self._runs <= self._most_runs
        return max(self._worker.opts.places - self.busy, 0) if may_take else 0


def _ignore_ended(error: BackgroundEndedError) -> None:
    """A part that ended over and over has been logged."""
