"""HarnessWorker: runs a harness's jobs with the engine's own runner, rules and reporter."""

from itertools import count
from typing import Any

from typing_extensions import Unpack

from bullworks.bullmq import CancelReason, Job, Worker, WorkerOptions
from bullworks.bullmq.cancel.delivery import CancelDelivery
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.job.outcome import Outcome, OutcomeRules
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.runner import Runner
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis.background import BackgroundEndedError
from bullworks.testing.errors import NotSimulatedError, RunawayError
from bullworks.testing.harness_queue import HarnessQueue
from bullworks.testing.memory.jobs import MemoryJobs

# For async listeners of worker events, by the real clock.
_LISTENERS_S = 5.0


class HarnessWorker(Worker[Any, Any]):
    """What a host gets as `self.worker`. It is never started: `work_off` runs what is due, and returns.

    Args:
        errors: takes what handlers raise.
        most_runs: attempts in one call of `work_off`.
    """

    def __init__(
        self,
        queue: HarnessQueue[Any],
        jobs: MemoryJobs,
        processor: Processor,
        *,
        errors: list[BaseException],
        most_runs: int,
        **options: Unpack[WorkerOptions],
    ) -> None:
        super().__init__(queue.name, processor, connection=queue.connection, prefix=queue.keys.prefix, **options)
        self._queue = queue
        self._jobs = jobs
        self._processor = processor
        self._most_runs = most_runs
        self._tokens = count(1)
        self._busy = 0
        self._runs = 0
        self._is_working = False
        self._errors = errors
        # What belongs to Redis in a real worker is the queue's here: `rate_limit`, for one.
        self._engine.scripts = queue.memory_scripts
        queue.memory_scripts.rules = self._rules = OutcomeRules(
            remove_on_complete=self.opts.remove_on_complete,
            remove_on_fail=self.opts.remove_on_fail,
            backoff_strategy=self.opts.backoff_strategy,
            max_started_attempts=self.opts.max_started_attempts,
        )
        self._use(queue.memory_scripts.payload_types)
        self._cancels = CancelDelivery(queue.name, self)
        jobs.on_cancelled = self._cancels.take

    async def work_off(self) -> None:
        """Run jobs, up to `concurrency` at once, until none is due.

        Raises:
            RunawayError: there is no end to it.
            NotSimulatedError: a handler asked for what a harness does not do.
        """
        self._runs, self._is_working = 0, True
        failed_before = len(self._errors)
        # One for each call, so that no slot outlives the test that forgot to close its harness.
        self._engine.runner = runner = self._new_runner()
        try:
            while self._fill(runner):
                await runner.wait_quiet()
                await self._reporter.emitter.drain(_LISTENERS_S)
        finally:
            self._is_working = False
            self._cancels.close()
            await runner.close()
        for error in self._errors[failed_before:]:
            if isinstance(error, NotSimulatedError):
                raise error
        if self._runs > self._most_runs:
            raise RunawayError(self.queue_name, self._runs)

    def cancel(self, job_id: str, reason: CancelReason, *, token: str | None = None) -> bool:
        """Cancel the handler of that attempt. False: none runs for it."""
        return self._engine.runner.cancel(job_id, reason, token=token)

    def look_again(self) -> None:
        """A handler waits for a job: it runs beside it, if there is a free slot."""
        if self._is_working:
            self._fill(self._engine.runner)

    def _new_runner(self) -> Runner:
        return Runner(
            self._processor,
            self._rules,
            concurrency=self.opts.concurrency,
            report=self._store,
            on_moved=_ignore,
            keep_schedule=_no_schedule,
            on_active=self._reporter.active,
            on_ended=self._ended,
            timeout_ms=self.opts.timeout_ms,
            supervisor=Supervisor(self.queue_name, _ignore_ended),
        )

    def _fill(self, runner: Runner) -> bool:
        """Start what may be started. False: nothing may, and nothing runs."""
        token = f"harness:{next(self._tokens)}"
        for entry in self._jobs.take(self._room(), token):
            job = self._queue.memory_scripts.job(entry.id, entry.fields, token)
            job.on_progress = self._reporter.progress
            self._busy += 1
            self._runs += 1
            runner.run(job)
        return self._busy > 0

    def _room(self) -> int:
        may_take = self._is_working and not self.is_paused and self._runs <= self._most_runs
        return max(self.opts.concurrency - self._busy, 0) if may_take else 0

    def _store(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._errors.append(outcome.error)
        code = self._jobs.finish(outcome)
        if code == 0:
            self._reporter.stored(outcome)
        else:
            self._reporter.refused(outcome, outcome_error(code, outcome.job.id, "storing its outcome"))

    def _ended(self) -> None:
        self._busy -= 1
        self._fill(self._engine.runner)


def _ignore_ended(error: BackgroundEndedError) -> None:
    """A part that ended over and over has been logged."""


def _ignore(job: Job) -> None:
    """Where its handler put it, it is."""


async def _no_schedule(job: Job) -> None:
    """No job of a harness is a scheduler's."""
