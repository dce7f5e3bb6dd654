"""Engine: the parts of one worker, put together.

Fetcher waits for work while there is none; Finisher stores outcomes and takes jobs; Runner runs handlers. All three
keep one account, Intake. CancelDelivery stops handlers whose jobs are cancelled from elsewhere. LockRenewer,
StalledChecker and Reclaimer keep at-least-once true when something breaks. Reporter tells listeners.
"""

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

from bullworks.bullmq.cancel.delivery import CancelDelivery
from bullworks.bullmq.cancel.listener import LISTENERS
from bullworks.bullmq.errors import UnrecoverableError
from bullworks.bullmq.events.readers import EventReaders
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome, OutcomeRules
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.process_pool.pool import ProcessPool
from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.worker import Fetched, WorkerScripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, detached
from bullworks.bullmq.worker.attempt_tracing import AttemptTracing
from bullworks.bullmq.worker.fetcher import Fetcher
from bullworks.bullmq.worker.finisher import Finisher
from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.lock_renewer import RENEWER, Lease
from bullworks.bullmq.worker.marker_wait import MarkerWait
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.reclaimer import Reclaimer
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.runner import Runner
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.bullmq.worker.stalled_checker import StalledChecker
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.bullmq.worker.taker import Taker
from bullworks.redis import Endpoint, connection_to

log = logging.getLogger(__name__)

# For handlers to notice their cancellation, for a wait in Redis to end, and for the last outcomes to be stored.
CANCEL_S = 0.5
_FLUSH_S = 1.2


class Engine:
    """What `Worker` steers; each of its steps is a method here.

    Args:
        processor: of a worker that is never started, one that is never called.
        accepts_jobs: whether jobs may be taken now.
        supervisor: of the worker's parts.

    Attributes:
        id: a uuid, new for each engine.
        tracing: None: nobody observes the worker.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        keys: QueueKeys,
        *,
        opts: WorkerOpts,
        processor: Processor,
        reporter: Reporter,
        accepts_jobs: Callable[[], bool],
        supervisor: Supervisor,
    ) -> None:
        self._endpoint = endpoint
        self._keys = keys
        self._pool = processor if isinstance(processor, ProcessPool) else None
        self._opts = opts
        self._reporter = reporter
        self._accepts_jobs = accepts_jobs
        self._supervisor = supervisor
        self.id = uuid4().hex
        self._fetches = count(1)
        self._has_worked = False
        self._lease: Lease | None = None
        self._commands = connection_to(endpoint, key=keys.base, reply_timeout_ms=opts.reply_timeout_ms)
        self._blocking = connection_to(
            endpoint,
            key=keys.base,
            client_name=keys.client_name(opts.name),
            # Silence is normal while it blocks: a socket timeout must be longer than the wait.
            reply_timeout_ms=opts.drain_delay_ms + opts.reply_timeout_ms,
        )
        terms = FetchTerms(
            lock_ms=opts.lock_duration_ms,
            worker_name=opts.name or "",
            limiter_max=opts.limiter_max or "",
            limiter_duration_ms=opts.limiter_duration_ms or "",
            most_points=opts.max_data_points or "",
        )
        rules = OutcomeRules(
            remove_on_complete=opts.remove_on_complete,
            remove_on_fail=opts.remove_on_fail,
            backoff_strategy=opts.backoff_strategy,
            max_started_attempts=opts.max_started_attempts,
        )
        self._readers = EventReaders(endpoint)
        self.tracing = self._observed()
        self._attempts = None if self.tracing is None else AttemptTracing(self.tracing, keys.name)
        self.scripts = Scripts(self._commands, keys, self._readers.of(keys), self.tracing, terms=terms, rules=rules)
        self.scripts.on_progress = reporter.progress
        self.scripts.on_active = reporter.active
        self._build(WorkerScripts(self._commands, self._blocking, keys, terms), rules, processor)

    def _build(self, worker_scripts: WorkerScripts, rules: OutcomeRules, processor: Processor) -> None:
        opts, reporter, supervisor = self._opts, self._reporter, self._supervisor
        attempts = self._attempts
        self._intake = Intake(
            opts.concurrency,
            isolates=opts.isolate_stalled,
            longest_limit_ms=opts.maximum_rate_limit_delay_ms,
            on_change=self._wake,
        )
        self._reclaimer = Reclaimer(self.scripts, self._intake, supervisor)
        self._finisher = Finisher(
            worker_scripts,
            self._intake,
            rules,
            new_token=self._new_token,
            on_fetched=self._take,
            on_stored=reporter.stored if attempts is None else attempts.storing(reporter.stored),
            on_refused=reporter.refused if attempts is None else attempts.refusing(reporter.refused),
            on_lost_fetch=self._reclaimer.lost,
            was_stored=self._was_stored,
            concurrency=opts.concurrency,
            supervisor=supervisor,
        )
        self._wait = MarkerWait(worker_scripts, self._blocking, self._commands, longest_block_ms=opts.drain_delay_ms)
        self._fetcher = Fetcher(self._wait, self._intake, supervisor, on_idle=self._idle)
        self.runner = Runner(
            processor,
            rules,
            concurrency=opts.concurrency,
            report=self._finisher.add if attempts is None else attempts.reporting(self._finisher.add),
            on_moved=self._moved,
            keep_schedule=ScheduleKeeper(self.scripts, self._keys.name).keep,
            on_active=reporter.active,
            on_ended=self._intake.ended,
            timeout_ms=opts.timeout_ms,
            supervisor=supervisor,
            attempts=attempts,
        )
        self._cancels = CancelDelivery(self._keys.name, self.runner)
        self.taker = Taker(self.scripts, self._wait, accepts_jobs=self._accepts_jobs)
        self.stalled = StalledChecker(
            self.scripts,
            worker_scripts,
            {} if opts.skip_lock_renewal else self._intake.locks,
            reporter,
            supervisor,
            interval_ms=opts.stalled_interval_ms,
            max_stalled_count=opts.max_stalled_count,
        )

    async def connect(self) -> None:
        """Connect, and start the processes of a processor that has some.

        Raises:
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
            ProcessStartError: a process did not start, or did not find its handler.
        """
        await asyncio.gather(self._commands.connect(), self._blocking.connect())
        if self._pool is not None:
            await self._pool.start()

    def start(self) -> None:
        """Run all parts; jobs are taken once `open` is called."""
        with detached(self.tracing):
            self._start()

    def _start(self) -> None:
        self._lease = Lease(
            endpoint=self._endpoint,
            keys=self._keys,
            locks=self._intake.locks,
            lock_ms=self._opts.lock_duration_ms,
            renew_ms=self._opts.renew_ms,
            max_loop_block_s=self._opts.max_loop_block_ms / 1000,
            loop=asyncio.get_running_loop(),
            on_renewed=self._reporter.locks_renewed,
            on_lost=self._on_locks_lost,
            on_cancelled=self._cancels.take,
            tracing=self.tracing,
        )
        if not self._opts.skip_lock_renewal:
            RENEWER.add(self._lease)
        if not self._opts.skip_stalled_check:
            self.stalled.start()
        LISTENERS.join(self._endpoint, self._keys, self.id, self._cancels.take)
        self._reclaimer.start()
        self._finisher.start()
        self._fetcher.start()

    def set_concurrency(self, concurrency: int) -> None:
        """Run so many handlers at once from now on; those that run already go on."""
        self.runner.set_concurrency(concurrency)
        self._finisher.set_concurrency(concurrency)
        self._intake.set_concurrency(concurrency)

    def open(self) -> None:
        """Take jobs, from now on."""
        self._intake.open()

    async def shut(self) -> None:
        """Take no further jobs; what a trip under way brings is handed back."""
        self._intake.shut()
        await self._wait.interrupt(CANCEL_S)

    async def flush(self) -> bool:
        """Store the last outcomes, bring back what a lost fetch took, let the locks go. False: not all in time."""
        is_stored = await self._finisher.drain(_FLUSH_S)
        await self._reclaimer.settle(_FLUSH_S)  # only now is it known which replies will not come
        if self._lease is not None:
            RENEWER.remove(self._lease)
        return is_stored

    async def close(self) -> None:
        """End all parts, and let the connections go."""
        self._cancels.close()
        await LISTENERS.leave(self._endpoint, self._keys, self.id)
        await self._wait.interrupt(CANCEL_S)  # of who takes jobs by hand
        await asyncio.gather(
            self.stalled.close(), self._fetcher.close(), self._finisher.close(), self._reclaimer.close()
        )
        await self.runner.close()
        if self._attempts is not None:
            self._attempts.close()
        if self._pool is not None:
            await self._pool.close()
        await asyncio.gather(self._commands.close(), self._blocking.close(), self._readers.close())

    def _new_token(self) -> str:
        return f"{self.id}:{next(self._fetches)}"

    def _take(self, fetched: Fetched, token: str) -> None:
        """Start the jobs that a trip brought; those that came too late are handed back unstarted."""
        jobs, scripts, intake = fetched.jobs, self.scripts, self._intake
        self._has_worked = True
        is_late = not self._accepts_jobs()
        on_progress = self._reporter.progress if self._reporter.emitter.has("progress") else None
        for at in range(0, len(jobs), 2):
            try:
                job_id = jobs[at].decode()
            except UnicodeDecodeError:
                self._fail_unnamed(jobs[at], jobs[at + 1], token)
                continue
            job: Job[Any, Any] = Job.from_reply(scripts, job_id, jobs[at + 1], token)
            job.on_progress = on_progress
            intake.took(job, token)
            if is_late:
                intake.ended()
                self._finisher.add(Outcome("release", job, token))
            else:
                self.runner.run(job)

    def _fail_unnamed(self, raw_id: bytes, flat: list[bytes], token: str) -> None:
        """Fail a job whose id is not UTF-8: no text can name it, neither to a handler nor to whoever looks for it."""
        job: Job[Any, Any] = Job.from_reply(self.scripts, raw_id.decode("utf-8", "backslashreplace"), flat, token)
        outcome = self.scripts.rules.ended(job, UnrecoverableError(f"the job's id is not UTF-8: {job.id}"))
        outcome.raw_id = raw_id
        self._intake.ended()
        self._finisher.add(outcome)

    def _moved(self, job: Job[Any, Any]) -> None:
        """Its handler put it elsewhere: its lock is gone."""
        if self._attempts is not None:
            self._attempts.moved(job)
        self._intake.settled(job.id, job.token or "")

    def _observed(self) -> Tracing | None:
        telemetry = self._opts.telemetry
        if telemetry is None:
            return None
        worker = {TelemetryAttributes.WORKER_ID: self.id, TelemetryAttributes.WORKER_NAME: self._opts.name}
        return Tracing(telemetry, self._keys.name, {name: value for name, value in worker.items() if value})

    def _wake(self) -> None:
        self._finisher.wake()
        if not self._intake.expects_work:
            self._fetcher.wake()

    def _idle(self) -> None:
        """There is nothing to take, for now."""
        if self._has_worked and self._intake.busy == 0:
            self._has_worked = False
            self._reporter.emitter.emit("drained")

    async def _was_stored(self, outcome: Outcome) -> bool:
        key = self._keys.of(outcome.job.id)
        finished_on, exists = await asyncio.gather(
            self._commands.execute("HGET", key, "finishedOn"), self._commands.execute("EXISTS", key)
        )
        return finished_on is not None or not exists

    def _on_locks_lost(self, job_ids: list[str], reason: str) -> None:
        # A handler may go on after it has moved its job; the lock is gone as it should be.
        running = {job.id for job in self.runner.running if job.moved_to is None}
        lost = [job_id for job_id in job_ids if job_id in running]
        if lost:
            log.warning(
                "queue %s: the locks of %d running jobs are lost (%s); they run again elsewhere, and what they "
                "return here is refused",
                self._keys.name,
                len(lost),
                reason,
                extra={"queue": self._keys.name, "job_ids": lost[:100]},
            )
        if lost or not job_ids:
            self._reporter.emitter.emit("lock_renewal_failed", lost)
