"""JobLifecycle: the parts that a job passes through in a worker, and what each step of one has the others do.

Finisher brings jobs and takes outcomes away; Runner runs handlers; Fetcher waits while there is nothing to do. All keep
one account, Intake. CancelDelivery stops handlers whose jobs are cancelled from elsewhere. Reclaimer brings back what
a lost reply left in Redis. Reporter tells listeners and the log.
"""

import asyncio

from bullworks.bullmq.cancel.delivery import CancelDelivery
from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.errors import QueueError, UnrecoverableError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.worker import Fetched, WorkerScripts
from bullworks.bullmq.worker.attempt_tracing import AttemptTracing
from bullworks.bullmq.worker.fetcher import Fetcher
from bullworks.bullmq.worker.finisher import Finisher
from bullworks.bullmq.worker.intake import Intake, IntakeWatcher
from bullworks.bullmq.worker.job_sink import AttemptSink, JobSink
from bullworks.bullmq.worker.lock_renewer import LockHolder
from bullworks.bullmq.worker.marker_wait import WorkWait
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.recovery import Reclaimer
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.runner import Runner
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.bullmq.worker.supervisor import Supervisor


class JobLifecycle(JobSink, IntakeWatcher, LockHolder):
    """A JobSink that acts: what one part tells of a job, it has the next part do.

    Args:
        processor: the handler, or one for each name of jobs.
        wait: what Fetcher waits with.
        worker_id: what the tokens of its locks begin with.
    """

    def __init__(
        self,
        processor: Processor,
        scripts: Scripts,
        worker_scripts: WorkerScripts,
        wait: WorkWait,
        *,
        reporter: Reporter,
        supervisor: Supervisor,
        worker_id: str,
        opts: WorkerOpts,
    ) -> None:
        self._scripts = scripts
        self._worker_scripts = worker_scripts
        self._reporter = reporter
        self._emitter = reporter.emitter
        self._supervisor = supervisor
        self._opts = opts
        self._queue_name, tracing = scripts.keys.name, scripts.tracing
        self._attempts = None if tracing is None else AttemptTracing(self, tracing, self._queue_name)
        jobs: JobSink = self._attempts or self
        self.intake = self._new_intake()
        self.fetcher = Fetcher(self._new_wait(wait), self.intake, reporter, supervisor)
        self.reclaimer = Reclaimer(scripts, self.intake, supervisor)
        self.finisher = Finisher(
            worker_scripts,
            self.intake,
            scripts.rules,
            jobs,
            worker_id=worker_id,
            concurrency=opts.places,
            supervisor=supervisor,
        )
        self.runner = self._new_runner(processor, jobs)
        self.cancels = CancelDelivery(self._queue_name, self.runner)

    def start(self) -> None:
        """Have all parts at work; jobs are taken once the intake is open."""
        self.reclaimer.start()
        self.finisher.start()
        self.fetcher.start()

    def set_concurrency(self, concurrency: int) -> None:
        """Run so many handlers at once from now on; those that run already go on."""
        self.runner.set_concurrency(concurrency)
        self.finisher.set_concurrency(concurrency)
        self.intake.set_concurrency(concurrency)

    async def close(self) -> None:
        """End all parts."""
        self.cancels.close()
        await asyncio.gather(self.fetcher.close(), self.finisher.close(), self.reclaimer.close())
        await self.runner.close()
        if self._attempts is not None:
            self._attempts.close()

    def took(self, fetched: Fetched, token: str) -> None:
        """Start the jobs; those that came too late are handed back unstarted."""
        jobs, scripts, intake = fetched.jobs, self._scripts, self.intake
        is_late = not intake.is_open
        on_progress = self._reporter.progress if self._emitter.has("progress") else None
        for at in range(0, len(jobs), 2):
            try:
                job_id = jobs[at].decode()
            except UnicodeDecodeError:
                self._fail_unnamed(jobs[at], jobs[at + 1], token)
                continue
            job: Job = Job.from_reply(scripts, job_id, jobs[at + 1], token)
            job.on_progress = on_progress
            intake.took(job, token)
            if is_late:
                intake.ended()
                self.finisher.add(Outcome("release", job, token))
            else:
                self.runner.run(job)

    def lost(self, token: str) -> None:
        """Bring the jobs back, before anything else is taken."""
        self.reclaimer.lost(token)

    def started(self, job: Job) -> None:
        """Emit the `active` event to the worker's listeners."""
        if self._emitter.has("active"):
            self._reporter.active(job)

    def ended(self, outcome: Outcome) -> None:
        """Store the outcome with the next trip."""
        self.finisher.add(outcome)

    def moved(self, job: Job) -> None:
        """Renew the job's lock no longer."""
        self.intake.settled(job.id, job.token or "")

    def freed(self, job: Job) -> None:  # noqa: ARG002 - one slot is as good as another
        """Let another job have the slot."""
        self.intake.ended()

    def stored(self, outcome: Outcome) -> None:
        """Notify listeners, and write the log."""
        self._reporter.stored(outcome)

    def refused(self, outcome: Outcome, error: QueueError) -> None:
        """Notify listeners, and write the log."""
        self._reporter.refused(outcome, error)

    def intake_changed(self) -> None:
        """Have Finisher look whether a trip is due; or Fetcher, where the last answer was that there is no work."""
        self.finisher.wake()
        if not self.intake.expects_work:
            self.fetcher.wake()

    def locks_renewed(self, job_ids: list[str]) -> None:
        """Emit the `locks_renewed` event to the worker's listeners."""
        self._reporter.locks_renewed(job_ids)

    def locks_lost(self, job_ids: list[str], reason: str) -> None:
        """Notify listeners of the jobs whose handler runs, and has not moved them, which gives the lock up."""
        running = {job.id for job in self.runner.running if job.moved_to is None}
        lost = [job_id for job_id in job_ids if job_id in running]
        if lost or not job_ids:
            self._reporter.locks_lost(lost, reason)

    def cancelled(self, request: CancelRequest) -> None:
        """Cancel the job's handler, or let it not begin."""
        self.cancels.take(request)

    def _new_intake(self) -> Intake:
        return Intake(
            self._opts.places,
            isolates=self._opts.isolate_stalled,
            longest_limit_ms=self._opts.maximum_rate_limit_delay_ms,
            watcher=self,
        )

    def _new_wait(self, wait: WorkWait) -> WorkWait:
        return wait

    def _new_runner(self, processor: Processor, jobs: JobSink) -> Runner:
        return self._runner_of(processor, jobs, timeout_ms=self._opts.timeout_ms)

    def _runner_of(self, processor: Processor, jobs: AttemptSink, *, timeout_ms: int | None) -> Runner:
        return Runner(
            processor,
            self._scripts.rules,
            jobs,
            ScheduleKeeper(self._scripts, self._queue_name),
            concurrency=self._opts.places,
            timeout_ms=timeout_ms,
            supervisor=self._supervisor,
            attempts=self._attempts,
        )

    def _fail_unnamed(self, raw_id: bytes, flat: list[bytes], token: str) -> None:
        """Fail a job whose id is not UTF-8: no text can name it, neither to a handler nor to whoever looks for it."""
        job: Job = Job.from_reply(self._scripts, raw_id.decode("utf-8", "backslashreplace"), flat, token)
        outcome = self._scripts.rules.ended(job, UnrecoverableError(f"the job's id is not UTF-8: {job.id}"))
        outcome.raw_id = raw_id
        self.intake.ended()
        self.finisher.add(outcome)
