"""Engine: one worker's connections, its JobLifecycle, and what keeps locks and looks for the jobs of others.

The steps of a worker's life, from `connect` to `close`, are its methods.
"""

import asyncio
from uuid import uuid4

from bullworks.bullmq.cancel.listener import LISTENERS
from bullworks.bullmq.events.readers import EventReaders
from bullworks.bullmq.job.outcome import OutcomeRules
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.process_pool.pool import ProcessPool
from bullworks.bullmq.queue.dead_letters import letters_of
from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.worker import WorkerScripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, detached
from bullworks.bullmq.worker.batches.lifecycle import BatchLifecycle
from bullworks.bullmq.worker.dead_letter_mover import DeadLetterMover
from bullworks.bullmq.worker.lifecycle import JobLifecycle
from bullworks.bullmq.worker.lock_renewer import RENEWER, Lease
from bullworks.bullmq.worker.marker_wait import MarkerWait
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.recovery import StalledChecker
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis import Endpoint, connection_to

# For handlers to notice their cancellation, for a wait in Redis to end, and for the last outcomes to be stored.
CANCEL_S = 0.5
_FLUSH_S = 1.2


class Engine:
    """The parts of a worker, and the steps by which `Worker` starts and stops them.

    Args:
        processor: of a worker that is never started, one that is never called.
        supervisor: of the worker's parts.

    Attributes:
        id: a uuid, new for each engine.
        tracing: spans and metrics of the worker; None without telemetry.
        scripts: what its jobs, and who takes them by hand, do in Redis.
        wait: the one wait for work.
        runner: what runs handlers.
        stalled: what looks for the jobs of vanished workers.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        keys: QueueKeys,
        *,
        opts: WorkerOpts,
        processor: Processor,
        reporter: Reporter,
        supervisor: Supervisor,
    ) -> None:
        self._endpoint = endpoint
        self._keys = keys
        self._pool = processor if isinstance(processor, ProcessPool) else None
        self._opts = opts
        self.id = uuid4().hex
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
            moves_failed=bool(opts.dead_letter),
        )
        self._readers = EventReaders(endpoint)
        self.tracing = self._observed()
        self.scripts = Scripts(self._commands, keys, self._readers.of(keys), self.tracing, terms=terms, rules=rules)
        self.scripts.listener = reporter
        worker_scripts = WorkerScripts(self._commands, self._blocking, keys, terms)
        self.wait = MarkerWait(worker_scripts, self._blocking, self._commands, longest_block_ms=opts.drain_delay_ms)
        lifecycle = JobLifecycle if opts.batch is None else BatchLifecycle
        self._jobs = lifecycle(
            processor,
            self.scripts,
            worker_scripts,
            self.wait,
            reporter=reporter,
            supervisor=supervisor,
            worker_id=self.id,
            opts=opts,
        )
        self.runner = self._jobs.runner
        self.stalled = StalledChecker(
            self.scripts,
            worker_scripts,
            {} if opts.skip_lock_renewal else self._jobs.intake.locks,
            reporter,
            supervisor,
            interval_ms=opts.stalled_interval_ms,
            max_stalled_count=opts.max_stalled_count,
        )

        self._mover = self._dead_letter_mover(reporter, supervisor)

    async def connect(self) -> None:
        """Connect, and start the processes of a processor that uses processes.

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
            locks=self._jobs.intake.locks,
            lock_ms=self._opts.lock_duration_ms,
            renew_ms=self._opts.renew_ms,
            max_loop_block_s=self._opts.max_loop_block_ms / 1000,
            loop=asyncio.get_running_loop(),
            holder=self._jobs,
            tracing=self.tracing,
        )
        if not self._opts.skip_lock_renewal:
            RENEWER.add(self._lease)
        if not self._opts.skip_stalled_check:
            self.stalled.start()
        LISTENERS.join(self._endpoint, self._keys, self.id, self._jobs.cancels.take)
        if self._mover is not None:
            self._mover.start()
        self._jobs.start()

    def set_concurrency(self, concurrency: int) -> None:
        """Change how many handlers may run at once; running handlers continue."""
        self._jobs.set_concurrency(concurrency)

    def open(self) -> None:
        """Allow taking jobs from now on."""
        self._jobs.intake.open()

    async def shut(self) -> None:
        """Stop taking jobs; jobs of a fetch in progress are handed back."""
        self._jobs.intake.shut()
        await self.wait.interrupt(CANCEL_S)

    async def flush(self) -> bool:
        """Store the last outcomes, recover jobs of lost fetches, release locks. False if the time was too short."""
        is_stored = await self._jobs.finisher.drain(_FLUSH_S)
        await self._jobs.reclaimer.settle(_FLUSH_S)  # only now is it known which replies will not come
        if self._lease is not None:
            RENEWER.remove(self._lease)
        return is_stored

    async def close(self) -> None:
        """End all parts and close the connections."""
        await LISTENERS.leave(self._endpoint, self._keys, self.id)
        await self.wait.interrupt(CANCEL_S)  # of who takes jobs by hand
        await asyncio.gather(self.stalled.close(), self._jobs.close())
        if self._mover is not None:
            await self._mover.close()
        if self._pool is not None:
            await self._pool.close()
        await asyncio.gather(self._commands.close(), self._blocking.close(), self._readers.close())

    def _dead_letter_mover(self, reporter: Reporter, supervisor: Supervisor) -> DeadLetterMover | None:
        named = self._opts.dead_letter
        if not named:
            return None
        mover = DeadLetterMover(letters_of(self.scripts, named if isinstance(named, str) else None), supervisor)
        reporter.emitter.on("failed", mover.failed)
        return mover

    def _observed(self) -> Tracing | None:
        telemetry = self._opts.telemetry
        if telemetry is None:
            return None
        worker = {TelemetryAttributes.WORKER_ID: self.id, TelemetryAttributes.WORKER_NAME: self._opts.name}
        return Tracing(telemetry, self._keys.name, {name: value for name, value in worker.items() if value})
