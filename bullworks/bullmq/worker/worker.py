"""Worker: takes a queue's jobs and runs a handler for each. Its parts are put together in engine.py."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from typing_extensions import Unpack

from bullworks.bullmq.connecting import Connection, endpoint_of
from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.job.job import D, Job, R
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.options import checks
from bullworks.bullmq.process_pool.pool import ProcessPool
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import trace
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.bullmq.worker.batches.handler import BatchHandler
from bullworks.bullmq.worker.engine import CANCEL_S, Engine
from bullworks.bullmq.worker.manual import ManualProcessing
from bullworks.bullmq.worker.options import WorkerOptions, WorkerOpts
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis.background import BackgroundEndedError

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Callable[..., Any])

DEFAULT_GRACE_MS = 10_000


class Worker(ManualProcessing[D, R]):
    """Runs `processor` for the jobs of one queue, at least once each.

    Args:
        queue_name: as the queue's; no ":".
        processor: `async def process(job)`, or a plain function of a SyncJob, which runs in a thread. Either may take
            the job's CancelSignal besides. Or such functions by the names of their jobs; a job of another name fails.
            Or a ProcessPool. None: jobs are taken by hand, with `get_next_job`. With `batch=` it is a function of a
            list of jobs, and returns None where all have completed, or a list with a result or an exception for each,
            in their order; what it raises fails all.
        connection: a URL, or a redis.asyncio client, whose settings are read. A worker opens three connections of
            its own: one for commands, one that blocks, one for the thread that renews locks; and the workers of a queue
            in one process share one, over which they hear of jobs that are cancelled elsewhere.
        prefix: as the queue's.
        data_type, result_type, encryption: as the queue's. A job whose data does not fit fails for good before its
            handler sees it; one of a newer version, or of a key that is not here, waits for a worker that knows it.
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
        data_type: type[D] | None = None,
        result_type: type[R] | None = None,
        encryption: Keyring | None = None,
        **options: Unpack[WorkerOptions],
    ) -> None:
        if isinstance(processor, ProcessPool):
            options.setdefault("concurrency", processor.size)
        super().__init__()
        self.queue_name = queue_name
        self.opts = WorkerOpts.of(options)
        if self.opts.batch is not None:
            processor = BatchHandler.of(processor)
        self.keys = checked_keys(prefix, queue_name)
        self._endpoint = endpoint_of(connection, self.keys)
        self._reporter = Reporter(queue_name)
        self._state: str = "new"
        self._is_paused = False
        self._closed: asyncio.Event = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._giving_up: asyncio.Task[None] | None = None
        self._grace: asyncio.Timeout | None = None
        self._close_by_s = math.inf
        self._has_processor = processor is not None
        self._engine = self._new_engine(_no_processor if processor is None else processor)
        self._use(self._payload_types(data_type, result_type, encryption))
        if isinstance(processor, ProcessPool):
            processor.use_types(data_type, result_type)

    def __repr__(self) -> str:
        return f"<Worker of queue {self.queue_name!r} at {self._endpoint.describe()}, {self._state}>"

    async def __aenter__(self) -> Self:
        try:
            await (self.start() if self._has_processor else self.wait_until_ready())
        except BaseException:
            await self.close(0)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def id(self) -> str:
        """The unique id of this worker object; the tokens of its jobs' locks begin with it."""
        return self._engine.id

    @property
    def name(self) -> str | None:
        return self.opts.name

    @property
    def concurrency(self) -> int:
        """How many handlers may run at once, with `batch=` each with many jobs; a change does not end those that run.

        Raises:
            InvalidOptionError: no whole number >= 1.
        """
        return self.opts.concurrency

    @concurrency.setter
    def concurrency(self, concurrency: int) -> None:
        self.opts = replace(self.opts, concurrency=checks.whole("concurrency", concurrency, 1))
        self._engine.set_concurrency(concurrency)

    @property
    def is_running(self) -> bool:
        """Whether the worker was started and not closed; a paused worker is running."""
        return self._state == "running"

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def active_jobs(self) -> list[Job]:
        """The jobs whose handlers run in this worker."""
        return self._engine.runner.running

    def on(self, event: str, callback: C) -> C:
        """Call `callback` on an event, see `WORKER_EVENTS`; sync or async, with as many arguments as it takes.

        Raises:
            InvalidOptionError: there is no such event.
        """
        return self._reporter.emitter.on(event, callback)

    def once(self, event: str, callback: C) -> C:
        """Call `callback` on the next such event only; see `on`."""
        return self._reporter.emitter.once(event, callback)

    def off(self, event: str, callback: Callable[..., Any]) -> None:
        self._reporter.emitter.off(event, callback)

    def measure(self, observer: Callable[[Outcome], None]) -> None:
        """Register an observer that is called with each attempt's outcome, once Redis has stored it.

        For whoever counts and times: it is called on the path of every job, so it must be quick, and it must not raise.
        A second one takes the place of the first.
        """
        self._reporter.measure = observer

    def cancel_job(self, job_id: str, reason: CancelReason = None) -> bool:
        """Cancel the handler of a job that runs in this worker; Queue.cancel does so wherever it runs, and for good.

        One that takes the job's signal, or has looked at it, is told, and ends its job as it likes. Another is stopped:
        its attempt fails with the reason, and is tried again as the job's options say; with an UnrecoverableError as
        the reason it is not. A thread cannot be stopped: its attempt fails at once, its slot is taken until it ends.

        Returns:
            False: no handler runs for it here.
        """
        return self._engine.runner.cancel(job_id, reason)

    def cancel_all_jobs(self, reason: CancelReason = None) -> None:
        """Cancel all handlers that run in this worker, as `cancel_job` does."""
        self._engine.runner.cancel_all(reason)

    async def rate_limit(self, duration: Duration) -> None:
        """Start a manual rate limit; see Queue.rate_limit. A rate-limited handler then raises RateLimitError."""
        duration_ms = checked_ms("duration", duration, least=1)
        attributes = {TelemetryAttributes.WORKER_RATE_LIMIT: duration_ms}
        with trace(self._engine.tracing, "rateLimit", attributes=attributes):
            await self._engine.scripts.rate_limit(duration_ms)

    async def start(self) -> None:
        """Connect and start taking jobs; a second call does nothing.

        Raises:
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
            ProcessStartError: a process of its ProcessPool did not start, or did not find its handler.
            InvalidOptionError: the worker has no processor.
        """
        if not self._has_processor:
            raise InvalidOptionError("processor", "is needed to start; without one, take jobs with get_next_job()")
        if self._state != "new":
            return
        self._state = "starting"
        try:
            await self._engine.connect()
        except BaseException:
            self._state = "new"
            raise
        if self._closing is not None:
            return
        self._state = "running"
        self._engine.start()
        if not self._is_paused:
            self._engine.open()
        log.info(
            "worker of queue %s started, concurrency %d",
            self.queue_name,
            self.opts.concurrency,
            extra={"queue": self.queue_name},
        )
        self._reporter.emitter.emit("ready")

    async def run(self) -> None:
        """Start, and return once `close` has ended the worker. Cancelling `run` closes the worker."""
        await self.start()
        try:
            await self._closed.wait()
        except asyncio.CancelledError:
            await self.close()
            raise

    async def pause(self, *, do_not_wait_active: bool = False) -> None:
        """Stop taking jobs in this worker; the queue's other workers continue.

        Args:
            do_not_wait_active: return at once, not when running handlers have ended.
        """
        attributes = {TelemetryAttributes.WORKER_DO_NOT_WAIT_ACTIVE: do_not_wait_active}
        with trace(self._engine.tracing, "pause", attributes=attributes):
            if not self._is_paused:
                self._is_paused = True
                if self._state == "running":
                    await self._engine.shut()
                self._reporter.emitter.emit("paused")
            if not do_not_wait_active:
                await self._engine.runner.wait_quiet()

    def resume(self) -> None:
        """Resume taking jobs."""
        if self._is_paused:
            with trace(self._engine.tracing, "resume"):
                self._is_paused = False
                if self._state == "running":
                    self._engine.open()
                self._reporter.emitter.emit("resumed")

    async def close(self, grace: Duration = DEFAULT_GRACE_MS) -> None:
        """Stop taking jobs, wait for running handlers, store their outcomes, close the connections.

        Handlers that run longer than `grace` are cancelled, and their jobs return to the head of their line with no
        attempt spent. Closing twice, or before starting, is fine: a second call waits for the first, and shortens its
        grace where its own ends sooner.

        Args:
            grace: for running handlers, default 10 s; 0 hands everything back at once.
        """
        grace_s = checked_ms("grace", grace) / 1000
        self._close_by_s = min(self._close_by_s, asyncio.get_running_loop().time() + grace_s)
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name=f"worker-close:{self.queue_name}")
        elif self._grace is not None and not self._grace.expired():
            self._grace.reschedule(self._close_by_s)
        with trace(self._engine.tracing, "close", attributes={TelemetryAttributes.WORKER_FORCE_CLOSE: grace_s == 0}):
            await asyncio.shield(self._closing)

    async def _close(self) -> None:
        was_running = self._state == "running"
        self._state = "closing"
        if was_running:
            self._reporter.emitter.emit("closing", f"closing worker of queue {self.queue_name}")
            # The order is the design: nothing new; then what runs; then what came of it; then the connections.
            await self._engine.shut()
            try:
                async with asyncio.timeout_at(self._close_by_s) as self._grace:
                    await self._engine.runner.wait_quiet()
            except TimeoutError:
                handed_back = await self._engine.runner.hand_back(CANCEL_S)
                log.warning(
                    "queue %s: %d jobs still ran when the grace time was over and were handed back",
                    self.queue_name,
                    handed_back,
                    extra={"queue": self.queue_name},
                )
            self._grace = None
            if not await self._engine.flush():
                log.error(
                    "queue %s: Redis did not take the last outcomes in time; their jobs will run again",
                    self.queue_name,
                    extra={"queue": self.queue_name},
                )
        await self._engine.close()
        self._state = "closed"
        if was_running:
            self._reporter.emitter.emit("closed")
            log.info("worker of queue %s closed", self.queue_name, extra={"queue": self.queue_name})
        await self._reporter.emitter.drain(CANCEL_S)
        self._closed.set()

    def _give_up(self, error: BackgroundEndedError) -> None:
        """A part cannot be kept alive: a worker that is deaf must not look as if it ran."""
        log.error(
            "worker of queue %s closes after a fatal error: %s",
            self.queue_name,
            error,
            extra={"queue": self.queue_name},
        )
        self._reporter.emitter.emit("error", error)
        if self._giving_up is None:
            self._giving_up = asyncio.create_task(self.close(), name=f"worker-give-up:{self.queue_name}")

    def _new_engine(self, processor: Processor) -> Engine:
        return Engine(
            self._endpoint,
            self.keys,
            opts=self.opts,
            processor=processor,
            reporter=self._reporter,
            supervisor=Supervisor(self.queue_name, self._give_up),
        )

    def _payload_types(self, data_type: Any, result_type: Any, encryption: Keyring | None) -> PayloadTypes | None:
        return PayloadTypes.stored(data_type, result_type, encryption)

    def _use(self, payload_types: PayloadTypes | None) -> None:
        scripts = self._engine.scripts
        scripts.payload_types = payload_types
        scripts.rules.result_type = None if payload_types is None else payload_types.result

    def _accepts_jobs(self) -> bool:
        return not self._is_paused and self._state not in {"closing", "closed"}


async def _no_processor(job: Job) -> None:
    """Of a worker that is never started."""
