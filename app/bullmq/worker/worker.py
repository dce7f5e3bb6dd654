"""Worker: takes a queue's jobs and runs a handler for each. This file puts its parts together.

Fetcher waits for work while there is none; Finisher stores outcomes and takes the next jobs; Runner runs handlers.
All three keep one account, Intake. LockRenewer, StalledChecker and Reclaimer keep at-least-once true when something
breaks. Reporter tells listeners.
"""

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from typing_extensions import Unpack

from app.bullmq.cancel_signal import CancelReason
from app.bullmq.durations import Duration, checked_ms
from app.bullmq.errors import InvalidOptionError
from app.bullmq.fetch_terms import FetchTerms
from app.bullmq.job import D, Job, R
from app.bullmq.outcome import Outcome, OutcomeRules
from app.bullmq.queue import Connection, checked_keys
from app.bullmq.scripts import Scripts
from app.bullmq.worker.fetcher import Fetcher
from app.bullmq.worker.finisher import Finisher
from app.bullmq.worker.intake import Intake
from app.bullmq.worker.lock_renewer import RENEWER, Lease
from app.bullmq.worker.manual import ManualProcessing
from app.bullmq.worker.options import WorkerOptions, WorkerOpts
from app.bullmq.worker.reclaimer import Reclaimer
from app.bullmq.worker.reporter import Reporter
from app.bullmq.worker.runner import Processor, Runner
from app.bullmq.worker.schedule_keeper import ScheduleKeeper
from app.bullmq.worker.stalled_checker import StalledChecker
from app.bullmq.worker.taker import Taker
from app.bullmq.worker_scripts import Fetched, WorkerScripts
from app.redis.endpoint import Endpoint
from app.redis.pipelined import PipelinedConnection

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Callable[..., Any])

DEFAULT_GRACE_MS = 10_000
# After the grace time: for handlers to notice their cancellation, and for the last outcomes to reach Redis.
_CANCEL_S = 0.5
_FLUSH_S = 1.2


class Worker(ManualProcessing[D, R]):
    """Runs `processor` for the jobs of one queue, at least once each.

    Args:
        queue_name: as the queue's; no ":".
        processor: `async def process(job)`, or a plain function of a SyncJob, which runs in a thread. Either may take
            the job's CancelSignal besides. None: jobs are taken by hand, with `get_next_job`.
        connection: a URL, or a redis.asyncio client, whose settings are read. A worker opens three connections of
            its own: one for commands, one that blocks, one for the thread that renews locks.
        prefix: as the queue's.
        options: see WorkerOptions.

    Raises:
        InvalidOptionError: an unknown or bad option, or a processor that cannot be called.
        BadUrlError, UnusableClientError: a connection that cannot be used.
    """

    def __init__(
        self,
        queue_name: str,
        processor: Processor | None,
        *,
        connection: Connection,
        prefix: str = "bull",
        **options: Unpack[WorkerOptions],
    ) -> None:
        if processor is not None and not callable(processor):
            raise InvalidOptionError("processor", f"must be a function of a job, not {processor!r}")
        self.queue_name = queue_name
        self.opts = WorkerOpts.of(options)
        self.keys = checked_keys(prefix, queue_name)
        self._endpoint = connection.endpoint if isinstance(connection, PipelinedConnection) else Endpoint.of(connection)
        self._uuid = uuid4().hex
        self._fetches = count(1)
        self._reporter = Reporter(queue_name)
        self._state: str = "new"
        self._is_paused = False
        self._has_worked = False
        self._closed: asyncio.Event = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._grace: asyncio.Timeout | None = None
        self._has_processor = processor is not None
        self._build(processor or _no_processor)

    def _build(self, processor: Processor) -> None:
        opts, keys = self.opts, self.keys
        self._commands = PipelinedConnection(self._endpoint, reply_timeout_ms=opts.reply_timeout_ms)
        self._blocking = PipelinedConnection(
            self._endpoint,
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
        self._scripts = Scripts(self._commands, keys, terms=terms, rules=rules)
        self._scripts.on_progress = self._reporter.progress
        scripts = WorkerScripts(self._commands, self._blocking, keys, terms)
        self._intake = Intake(opts.concurrency, isolates=opts.isolate_stalled, on_change=self._wake)
        self._reclaimer = Reclaimer(self._scripts, self._intake.hold_off, self._intake.go_on)
        self._finisher = Finisher(
            scripts,
            self._intake,
            new_token=self._new_token,
            on_fetched=self._take,
            on_stored=self._reporter.stored,
            on_refused=self._reporter.refused,
            on_lost_fetch=self._reclaimer.lost,
            was_stored=self._was_stored,
            concurrency=opts.concurrency,
            queue_name=self.queue_name,
        )
        self._fetcher = Fetcher(
            scripts,
            self._intake,
            self._blocking,
            self._commands,
            new_token=self._new_token,
            on_fetched=self._take,
            on_lost_fetch=self._reclaimer.lost,
            on_change=self._answered,
            longest_block_ms=opts.drain_delay_ms,
            queue_name=self.queue_name,
        )
        self._taker = Taker(
            self._scripts,
            scripts,
            self._blocking,
            self._commands,
            is_shut=lambda: self._is_paused or self._state in {"closing", "closed"},
            longest_block_ms=opts.drain_delay_ms,
        )
        self._runner = Runner(
            processor,
            rules,
            concurrency=opts.concurrency,
            report=self._finisher.add,
            on_moved=self._moved,
            keep_schedule=ScheduleKeeper(self._scripts, self.queue_name).keep,
            on_active=self._reporter.active,
            on_ended=self._intake.ended,
            timeout_ms=opts.timeout_ms,
            queue_name=self.queue_name,
        )
        self._stalled = StalledChecker(
            self._scripts, opts.stalled_interval_ms, opts.max_stalled_count, self._reporter.stalled
        )

    def __repr__(self) -> str:
        return f"<Worker of queue {self.queue_name!r} at {self._endpoint.describe()}, {self._state}>"

    async def __aenter__(self) -> Self:
        await (self.start() if self._has_processor else self.wait_until_ready())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def name(self) -> str | None:
        return self.opts.name

    @property
    def is_running(self) -> bool:
        """Started and not closed; a paused worker runs."""
        return self._state == "running"

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def active_jobs(self) -> list[Job[Any, Any]]:
        """Jobs whose handler runs in this worker now."""
        return self._runner.running

    def on(self, event: str, callback: C) -> C:
        """Call `callback` on an event, see `WORKER_EVENTS`; sync or async, with as many arguments as it takes.

        Raises:
            InvalidOptionError: there is no such event.
        """
        return self._reporter.emitter.on(event, callback)

    def off(self, event: str, callback: Callable[..., Any]) -> None:
        self._reporter.emitter.off(event, callback)

    def cancel_job(self, job_id: str, reason: CancelReason = None) -> bool:
        """Cancel the handler of a job that runs in this worker.

        One that takes the job's signal, or has looked at it, is told, and ends its job as it likes. Another is stopped:
        its attempt fails with the reason, and is tried again as the job's options say; with an UnrecoverableError as
        the reason it is not. A thread cannot be stopped: its attempt fails at once, its slot is taken until it ends.

        Returns:
            False: no handler runs for it here.
        """
        return self._runner.cancel(job_id, reason)

    def cancel_all_jobs(self, reason: CancelReason = None) -> None:
        """Cancel all handlers that run in this worker, as `cancel_job` does."""
        self._runner.cancel_all(reason)

    async def rate_limit(self, duration: Duration) -> None:
        """As Queue.rate_limit. A handler that was turned away by what it calls then raises RateLimitError."""
        await self._scripts.rate_limit(checked_ms("duration", duration, least=1))

    async def start(self) -> None:
        """Connect and begin to take jobs; a second call does nothing.

        Raises:
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
            InvalidOptionError: the worker has no processor.
        """
        if not self._has_processor:
            raise InvalidOptionError("processor", "is needed to start; without one, take jobs with get_next_job()")
        if self._state != "new":
            return
        self._state = "starting"
        try:
            await asyncio.gather(self._commands.connect(), self._blocking.connect())
        except BaseException:
            self._state = "new"
            raise
        if self._closing is not None:
            return
        self._state = "running"
        self._lease = Lease(
            endpoint=self._endpoint,
            keys=self.keys,
            locks=self._intake.locks,
            lock_ms=self.opts.lock_duration_ms,
            max_loop_block_s=self.opts.max_loop_block_ms / 1000,
            loop=asyncio.get_running_loop(),
            on_renewed=self._reporter.locks_renewed,
            on_lost=self._on_locks_lost,
        )
        RENEWER.add(self._lease)
        if not self.opts.skip_stalled_check:
            self._stalled.start()
        self._finisher.start()
        self._fetcher.start()
        if not self._is_paused:
            self._intake.open()
        log.info(
            "worker of queue %s started, concurrency %d",
            self.queue_name,
            self.opts.concurrency,
            extra={"queue": self.queue_name},
        )
        self._reporter.emitter.emit("ready")

    async def run(self) -> None:
        """Start, and return once `close` has ended the worker. Cancelling it closes the worker."""
        await self.start()
        try:
            await self._closed.wait()
        except asyncio.CancelledError:
            await self.close()
            raise

    async def pause(self, *, do_not_wait_active: bool = False) -> None:
        """Take no further jobs in this worker; the queue's other workers go on.

        Args:
            do_not_wait_active: return at once, not when running handlers have ended.
        """
        if not self._is_paused:
            self._is_paused = True
            await self._stop_taking()
            self._reporter.emitter.emit("paused")
        if not do_not_wait_active:
            await self._runner.wait_quiet()

    def resume(self) -> None:
        """Take jobs again."""
        if self._is_paused:
            self._is_paused = False
            if self._state == "running":
                self._intake.open()
            self._reporter.emitter.emit("resumed")

    async def close(self, grace: Duration = DEFAULT_GRACE_MS) -> None:
        """Take no further jobs, let running handlers end, store their outcomes, let the connections go.

        Handlers that run longer than `grace` are cancelled, and their jobs return to the head of their line with no
        attempt spent. Closing twice, or before starting, is fine: a second call waits for the first, and shortens its
        grace where its own ends sooner.

        Args:
            grace: for running handlers, default 10 s; 0 hands everything back at once.
        """
        grace_s = checked_ms("grace", grace) / 1000
        deadline_s = asyncio.get_running_loop().time() + grace_s
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(deadline_s), name=f"worker-close:{self.queue_name}")
        elif self._grace is not None and deadline_s < (self._grace.when() or 0) and not self._grace.expired():
            self._grace.reschedule(deadline_s)
        await asyncio.shield(self._closing)

    async def _close(self, deadline_s: float) -> None:
        was_running = self._state == "running"
        self._state = "closing"
        if was_running:
            self._reporter.emitter.emit("closing", f"closing worker of queue {self.queue_name}")
            # The order is the design: nothing new; then what runs; then what came of it; then the connections.
            await self._stop_taking()
            try:
                async with asyncio.timeout_at(deadline_s) as self._grace:
                    await self._runner.wait_quiet()
            except TimeoutError:
                handed_back = await self._runner.hand_back(_CANCEL_S)
                log.warning(
                    "queue %s: %d jobs still ran when the grace time was over and were handed back",
                    self.queue_name,
                    handed_back,
                    extra={"queue": self.queue_name},
                )
            self._grace = None
            if not await self._finisher.drain(_FLUSH_S):
                log.error(
                    "queue %s: Redis did not take the last outcomes in time; their jobs will run again",
                    self.queue_name,
                    extra={"queue": self.queue_name},
                )
            RENEWER.remove(self._lease)
        await self._taker.interrupt(_CANCEL_S)
        await asyncio.gather(
            self._stalled.close(), self._fetcher.close(), self._finisher.close(), self._reclaimer.close()
        )
        await self._runner.close()
        await asyncio.gather(self._commands.close(), self._blocking.close())
        self._state = "closed"
        if was_running:
            self._reporter.emitter.emit("closed")
            log.info("worker of queue %s closed", self.queue_name, extra={"queue": self.queue_name})
        await self._reporter.emitter.drain(_CANCEL_S)
        self._closed.set()

    async def _stop_taking(self) -> None:
        self._intake.shut()
        if self._state in {"running", "closing"}:
            await self._fetcher.interrupt(_CANCEL_S)

    def _new_token(self) -> str:
        return f"{self._uuid}:{next(self._fetches)}"

    def _take(self, fetched: Fetched, token: str) -> None:
        """Start the jobs that a trip brought; those that came too late are handed back unstarted."""
        jobs, scripts, intake = fetched.jobs, self._scripts, self._intake
        self._has_worked = True
        is_late = self._state != "running" or self._is_paused
        on_progress = self._reporter.progress if self._reporter.emitter.has("progress") else None
        for at in range(0, len(jobs), 2):
            job: Job[Any, Any] = Job.from_reply(scripts, jobs[at].decode(), jobs[at + 1], token)
            job.on_progress = on_progress
            intake.took(job, token)
            if is_late:
                intake.ended()
                self._finisher.add(Outcome("release", job, token))
            else:
                self._runner.run(job)

    def _wake(self) -> None:
        self._finisher.wake()
        if not self._intake.expects_work:
            self._fetcher.wake()

    def _answered(self) -> None:
        """The fetcher's wait is over."""
        if self._has_worked and not self._intake.expects_work and self._intake.busy == 0:
            self._has_worked = False
            self._reporter.emitter.emit("drained")
        self._wake()

    async def _was_stored(self, outcome: Outcome) -> bool:
        key = self.keys.of(outcome.job.id)
        finished_on, exists = await asyncio.gather(
            self._commands.execute("HGET", key, "finishedOn"), self._commands.execute("EXISTS", key)
        )
        return finished_on is not None or not exists

    def _moved(self, job: Job[Any, Any]) -> None:
        """Its handler put it elsewhere: its lock is gone."""
        self._intake.settled(job.id, job.token or "")

    def _on_locks_lost(self, job_ids: list[str], reason: str) -> None:
        # A handler may go on after it has moved its job; the lock is gone as it should be.
        running = {job.id for job in self._runner.running if job.moved_to is None}
        lost = [job_id for job_id in job_ids if job_id in running]
        if lost:
            log.warning(
                "queue %s: the locks of %d running jobs are lost (%s); they run again elsewhere, and what they "
                "return here is refused",
                self.queue_name,
                len(lost),
                reason,
                extra={"queue": self.queue_name, "job_ids": lost[:100]},
            )
        if lost or not job_ids:
            self._reporter.emitter.emit("lock_renewal_failed", lost)


async def _no_processor(job: Job[Any, Any]) -> None:
    """Of a worker that is never started."""
