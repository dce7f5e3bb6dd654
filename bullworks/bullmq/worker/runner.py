"""Runner: long-lived slots that run handlers, one job at a time each, and report how they ended."""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import monotonic
from typing import Any, cast

from bullworks.bullmq.errors import (
    InvalidPayloadError,
    JobExpiredError,
    JobTimeoutError,
    MovedError,
    PayloadAheadError,
    QueueError,
    RateLimitError,
    UnrecoverableError,
)
from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.job.fields import malformed_number
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome, OutcomeRules, has_expired
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.worker.attempt_tracing import AttemptTracing
from bullworks.bullmq.worker.in_context import InContext
from bullworks.bullmq.worker.in_thread import returned_or_raised
from bullworks.bullmq.worker.job_sink import AttemptSink
from bullworks.bullmq.worker.processor import Handler, Handlers, Processor
from bullworks.bullmq.worker.putting_back import put_back
from bullworks.bullmq.worker.schedule_keeper import ScheduleKeeper
from bullworks.bullmq.worker.slot import Slot
from bullworks.bullmq.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

# For a slot whose handler ignores its cancellation, and has been handed back.
_CLOSE_S = 0.5


class Runner:
    """Runs jobs in up to `concurrency` slots, which are created as needed and kept.

    Args:
        processor: the handler, or one for each name of jobs.
        rules: turn what it returned or raised into an outcome.
        jobs: told how each attempt begins and ends.
        schedules: awaited before the handler of a job scheduler's job.
        timeout_ms: for jobs that have none of their own.
        attempts: what each attempt runs in, if it is traced.
    """

    def __init__(
        self,
        processor: Processor,
        rules: OutcomeRules,
        jobs: AttemptSink,
        schedules: ScheduleKeeper,
        *,
        concurrency: int,
        timeout_ms: int | None,
        supervisor: Supervisor,
        attempts: AttemptTracing | None = None,
    ) -> None:
        self._handlers = Handlers(processor)
        self._rules = rules
        self._concurrency = concurrency
        self._jobs = jobs
        self._schedules = schedules
        self._timeout_ms = timeout_ms
        self._supervisor = supervisor
        self._queue_name = supervisor.queue_name
        self._attempts = attempts
        self._threads: ThreadPoolExecutor | None = None
        self._ready: deque[Job] = deque()
        self._idle: list[tuple[Slot, asyncio.Future[Job]]] = []
        self._slots: list[Slot] = []
        self._quiet = asyncio.Event()

    def set_concurrency(self, concurrency: int) -> None:
        """Change the number of slots; surplus slots stay idle."""
        if self._threads is not None and concurrency > self._concurrency:
            self._threads.shutdown(wait=False)  # what runs in it goes on
            self._threads = None
        self._concurrency = concurrency

    @property
    def running(self) -> list[Job]:
        """The jobs whose handlers are running."""
        return [slot.job for slot in self._slots if slot.job is not None]

    def run(self, job: Job) -> None:
        """Run a job in a free slot; the caller has checked that there is one."""
        if self._idle:
            slot, waiter = self._idle.pop()
            # At once: who waits for quiet, or hands back, before the slot wakes up must not miss the job.
            slot.take(job)
            waiter.set_result(job)
            return
        self._ready.append(job)
        if len(self._slots) < self._concurrency:
            slot = Slot(self._supervisor, f"slot-{len(self._slots)}", self._work)
            slot.background.start()
            self._slots.append(slot)

    def cancel(self, job_id: str, reason: CancelReason, *, token: str | None = None) -> bool:
        """Cancel the job's handler; with `token` only in that attempt. False if it does not run here."""
        running = (slot for slot in self._slots if slot.job is not None and slot.job.id == job_id)
        return any(slot.cancel(reason) for slot in running if slot.job is not None and token in {None, slot.job.token})

    def cancel_all(self, reason: CancelReason) -> int:
        """Cancel all handlers. Returns how many."""
        return sum(slot.cancel(reason) for slot in self._slots)

    async def wait_quiet(self) -> None:
        """Wait until no handler runs."""
        while self._ready or self.running:
            self._quiet.clear()
            await self._quiet.wait()

    async def hand_back(self, patience_s: float) -> int:
        """Cancel running handlers and report their jobs as handed back. Returns how many.

        A handler that ignores its cancellation, and a thread, cannot be stopped: after `patience_s` their jobs are
        handed back all the same, and what they return later is dropped.
        """
        for job in self._ready:
            self._jobs.ended(Outcome("release", job, job.token or ""))
            self._jobs.freed(job)
        count = len(self._ready)
        self._ready.clear()
        running = [slot for slot in self._slots if slot.job is not None]
        for slot in running:
            slot.stop()
        await asyncio.gather(*(slot.background.close(patience_s) for slot in running))
        for slot in running:
            if slot.job is not None:
                log.warning(
                    "job %s: its handler could not be stopped, and may overlap with the next attempt",
                    slot.job.id,
                    extra={"queue": self._queue_name, "job_id": slot.job.id},
                )
                self._report(slot, Outcome("hand_back", slot.job, slot.job.token or ""))
        return count + len(running)

    async def close(self) -> None:
        """End the slots; the caller has waited for their jobs, or handed them back."""
        for slot in self._slots:
            slot.stop()
        await asyncio.gather(*(slot.background.close(_CLOSE_S) for slot in self._slots))
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._slots.clear()
        self._idle.clear()

    async def _work(self, slot: Slot) -> None:
        slot.task = task = cast("asyncio.Task[None]", asyncio.current_task())
        while True:
            job = slot.take(self._ready.popleft()) if self._ready else await self._handed_over(slot)
            slot.is_settling = False
            try:
                if self._attempts is None:
                    await self._attempt(slot, job)
                else:
                    with self._attempts.attempt(job):
                        await self._attempt(slot, job)
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except KeyboardInterrupt:
                # As everywhere in Python it ends the program; the job did not fail.
                self._report(slot, Outcome("hand_back", job, job.token or ""))
                raise
            except BaseException as error:
                log.exception(
                    "job %s: an internal error interrupted its attempt", job.id, extra={"queue": self._queue_name}
                )
                self._report(slot, self._rules.broken(job, error))
            finally:
                has_residue = slot.cancelled_with is not None
                if has_residue:
                    slot.take_cancellation()  # the handler went on all the same
                self._freed(job)
            if has_residue or task.cancelling():
                await slot.shake_off()

    async def _handed_over(self, slot: Slot) -> Job:
        """The next job, which `run` gives to the slot."""
        waiter: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        place = (slot, waiter)
        self._idle.append(place)
        try:
            return await waiter
        except asyncio.CancelledError:
            job = slot.job
            if job is not None:
                self._report(slot, Outcome("release", job, job.token or ""))
                self._freed(job)
            else:
                self._idle.remove(place)
            raise

    def _freed(self, job: Job) -> None:
        self._jobs.freed(job)
        if not self._quiet.is_set():
            self._quiet.set()

    def _report(self, slot: Slot, outcome: Outcome) -> None:
        if slot.job is None:
            return  # handed back already
        slot.job = None
        outcome.duration_ms = round((monotonic() - slot.started_s) * 1000)
        self._jobs.ended(outcome)

    async def _attempt(self, slot: Slot, job: Job) -> None:
        try:
            if not (job.is_ordinary and self._rules.runs_any_ordinary):
                slot.is_settling = True
                await self._schedules.keep(job)
                slot.is_settling = False
                refusal = self._rules.refusal(job)
                if refusal is not None:
                    self._report(slot, self._rules.ended(job, refusal))
                    return
            try:
                timeout_ms = self._readable_timeout_ms(job)
            except PayloadAheadError as error:
                self._report(slot, put_back(job, error))
                return
            self._jobs.started(job)
            handler = self._handlers.for_all or self._handlers.named(job.name)
            if handler.is_async:
                result = await self._call(handler, job, timeout_ms)
            else:
                result = await self._call_in_thread(handler, slot, job, timeout_ms)
            self._report(slot, self._rules.completed(job, result))
        except asyncio.CancelledError as error:
            cancelled_with = slot.take_cancellation()
            if slot.is_stopped:
                # By hand_back, or by a loop that ends: then nobody stores an outcome, and the job stalls.
                self._report(slot, Outcome("hand_back", job, job.token or ""))
                raise
            # The handler was cancelled, by `cancel_job` or by itself, or awaited something that was.
            await self._fail(slot, job, cancelled_with or error)
        except MovedError as error:
            await self._leave(slot, job, error)
        except RateLimitError:
            self._report(slot, Outcome("hand_back", job, job.token or ""))
        except InvalidPayloadError as error:
            await self._fail(slot, job, UnrecoverableError(f"the handler's result cannot be stored: {error}"))
        except (KeyboardInterrupt, GeneratorExit):  # the program ends, or this coroutine is being closed
            raise
        except BaseException as error:  # noqa: BLE001 - whatever comes out of a handler is one failed attempt
            await self._fail(slot, job, error)

    async def _fail(self, slot: Slot, job: Job, error: BaseException) -> None:
        slot.is_settling = True
        if slot.task is not None and slot.task.cancelling():
            await slot.shake_off()
        try:
            ran_ms = round((asyncio.get_running_loop().time() - slot.started_s) * 1000)
            outcome = await self._rules.failed(job, error, ran_ms=ran_ms)
        except Exception as broken:  # noqa: BLE001 - a backoff_strategy is the user's
            outcome = self._rules.ended(job, broken)
        slot.is_settling = False
        self._report(slot, outcome)

    async def _leave(self, slot: Slot, job: Job, error: MovedError) -> None:
        """The job is where its handler put it: there is nothing to store."""
        if job.moved_to is None:
            await self._fail(slot, job, QueueError(f"{type(error).__name__} was raised, but the job was not moved"))
        elif slot.job is not None:
            slot.job = None
            self._jobs.moved(job)

    def _readable_timeout_ms(self, job: Job) -> int | None:
        """The job's timeout, once it is sure that it may start, and that its numbers, data and options can be read."""
        malformed = malformed_number(job)
        if malformed is not None:
            raise UnrecoverableError(f"the job's field {malformed}")
        try:
            _ = job.data
            opts = job.opts
        except InvalidPayloadError as error:
            raise UnrecoverableError(f"the job's data: {error}") from error
        except (ValueError, RecursionError) as error:
            raise UnrecoverableError(f"the job's data or options are not JSON: {error}") from error
        if opts.expires is not None and has_expired(job, 0):
            raise JobExpiredError.of(job.id, job.expires_on or 0, job.processed_on or 0)
        return opts.timeout_ms or self._timeout_ms

    async def _call(self, handler: Handler, job: Job, timeout_ms: int | None) -> Any:
        coroutine = handler.function(job, job.signal) if handler.takes_signal else handler.function(job)
        attempt = InContext(coroutine, copy_context())
        if timeout_ms is None:
            return await attempt
        deadline = asyncio.timeout(timeout_ms / 1000)
        try:
            async with deadline:
                return await attempt
        except TimeoutError:
            if deadline.expired():
                raise JobTimeoutError(job.id, timeout_ms) from None
            raise

    async def _call_in_thread(self, handler: Handler, slot: Slot, job: Job, timeout_ms: int | None) -> Any:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._concurrency, f"bullworks-{self._queue_name}")
        loop = asyncio.get_running_loop()
        job.offer_signal()
        args = (SyncJob(job, loop), job.signal) if handler.takes_signal else (SyncJob(job, loop),)
        context = copy_context()

        def call() -> tuple[Any, BaseException | None]:
            return context.run(returned_or_raised, handler.function, *args)

        running = loop.run_in_executor(self._threads, call)
        limit_s = None if timeout_ms is None else timeout_ms / 1000
        error: Exception = JobTimeoutError(job.id, timeout_ms or 0)
        try:
            await asyncio.wait((running,), timeout=limit_s)
        except asyncio.CancelledError:
            running.add_done_callback(_drop_result)
            cancelled_with = slot.take_cancellation()
            if cancelled_with is None:
                raise
            error = cancelled_with
        if running.done():
            result, raised = running.result()
            if raised is not None:
                raise raised
            return result
        # A thread cannot be stopped: the attempt has failed, and the slot is free when the thread is.
        await self._fail(slot, job, error)
        log.warning(
            "job %s: %s; its thread is still running and keeps its slot",
            job.id,
            error,
            extra={"queue": self._queue_name, "job_id": job.id},
        )
        running.add_done_callback(_drop_result)
        await asyncio.wait((running,))
        return None


def _drop_result(running: "asyncio.Future[Any]") -> None:
    if not running.cancelled():
        running.exception()
