"""Batches: brings the jobs of a Runner's slots together, calls the handler with them, and gives each its outcome.

A job has a slot of its own, as without batches: its guards, timeout, cancellation, retries, span and events are the
Runner's. What runs in the slot is `join`, which waits for the job's part in a batch.
"""

import asyncio
import logging
from abc import abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, Protocol

from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.options.batch import Batch
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.worker.batches.handler import BatchHandler
from bullworks.bullmq.worker.batches.run import BatchRun, Seat
from bullworks.bullmq.worker.in_thread import returned_or_raised
from bullworks.bullmq.worker.job_sink import AttemptSink
from bullworks.bullmq.worker.processor import Handle

log = logging.getLogger(__name__)

# For a handler that ignores its cancellation.
_CLOSE_S = 0.5


class BatchPlaces(Protocol):
    """The account of a worker's places: one for each job, and all of a running batch are taken."""

    busy: int
    """Places of jobs that were fetched and have not ended, and those that batches hold besides."""

    @property
    @abstractmethod
    def expects_more(self) -> bool:
        """Whether a fetch is under way, or about to be, that may bring jobs for the batch that forms."""

    @abstractmethod
    def occupy(self, places: int) -> None:
        """Take places that no job of a small batch needs, so that nothing is fetched for them."""

    @abstractmethod
    def vacate(self, places: int) -> None:
        """Free the places of a batch that has ended."""


class Batches(AttemptSink):
    """An AttemptSink around another: it tells the other, and learns which jobs' attempts are over.

    A batch starts once it is full, or once no further job can come to it now; up to `concurrency` run at once. It has
    ended once its handler has, and the attempts of all its jobs.

    Args:
        handler: what is called with the jobs.
        jobs: the other sink.
        places: of the worker.
        timeout_ms: of one call.
        tracing: gives each call a span; its jobs have their own.
    """

    def __init__(
        self,
        handler: BatchHandler,
        batch: Batch,
        jobs: AttemptSink,
        places: BatchPlaces,
        *,
        queue_name: str,
        concurrency: int,
        timeout_ms: int | None,
        tracing: Tracing | None = None,
    ) -> None:
        self._handler = handler
        self._size = batch.size
        self._jobs = jobs
        self._places = places
        self._queue_name = queue_name
        self._concurrency = concurrency
        self._timeout_ms = timeout_ms
        self._tracing = tracing
        self._forming: deque[Seat] = deque()
        self._runs: set[BatchRun] = set()
        self._run_of: dict[Job, BatchRun] = {}
        self._held = 0
        self._threads: ThreadPoolExecutor | None = None
        self._context: Context | None = None

    @property
    def processor(self) -> Handle:
        """The function that the Runner calls for each job."""
        return self.join if self._handler.around is None else self._handler.around(self.join)

    def start(self) -> None:
        """Have handlers run in the present context, and not in that of whichever job came last."""
        self._context = copy_context()

    def set_concurrency(self, concurrency: int) -> None:
        """Change how many batches may run at once; those that run go on."""
        if self._threads is not None and concurrency > self._concurrency:
            self._threads.shutdown(wait=False)
            self._threads = None
        self._concurrency = concurrency
        self.look()

    async def wait_quiet(self) -> None:
        """Wait until no handler runs, also none whose jobs have all left."""
        while self._runs:
            await asyncio.wait([run.task for run in self._runs if run.task is not None])

    async def close(self) -> None:
        """End what still runs: its jobs were waited for, or handed back. Closing twice, or unstarted, is fine."""
        tasks = [run.task for run in self._runs if run.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def join(self, job: Job) -> Any:
        """Take part in the next batch; returns or raises what comes of the job."""
        before = self._run_of.pop(job, None)
        if before is not None:  # an interceptor runs its handler again: the job takes its place along
            before.places -= 1
            self._held -= 1
            before.close_job(job)
        seat = Seat(job)
        self._forming.append(seat)
        self.look()
        try:
            await seat.settled
        except asyncio.CancelledError:
            if seat.run is None:
                self._forming.remove(seat)
            else:
                await seat.run.leave(can_stop=self._handler.is_async)
            raise
        return seat.outcome()

    def look(self) -> None:
        """Start batches that are full, or that wait for nobody."""
        while self._forming and len(self._runs) < self._concurrency and self._is_complete:
            self._start([self._forming.popleft() for _ in range(min(len(self._forming), self._size))])

    def started(self, job: Job) -> None:
        """Tell the other sink: a job's attempt begins before its batch does."""
        self._jobs.started(job)

    def ended(self, outcome: Outcome) -> None:
        """Tell the other sink."""
        self._jobs.ended(outcome)

    def moved(self, job: Job) -> None:
        """Tell the other sink."""
        self._jobs.moved(job)

    def freed(self, job: Job) -> None:
        """Free the job's place, or let its batch do that with the others'."""
        run = self._run_of.pop(job, None)
        if run is None:
            self._jobs.freed(job)
            self.look()
        else:
            run.close_job(job)

    @property
    def _is_complete(self) -> bool:
        if len(self._forming) >= self._size:
            return True
        on_their_way = self._places.busy - self._held - len(self._forming)  # to `join`, past their guards
        return on_their_way <= 0 and not self._places.expects_more

    def _start(self, seats: list[Seat]) -> None:
        seats.sort(key=_trip)
        run = BatchRun(seats, self._call, self._ended, places=self._size)
        self._runs.add(run)
        self._held += self._size
        self._places.occupy(self._size - len(seats))
        for seat in seats:
            self._run_of[seat.job] = run
        context = copy_context() if self._context is None else self._context.copy()
        run.start(f"batch:{self._queue_name}", context)

    def _ended(self, run: BatchRun) -> None:
        self._runs.discard(run)
        self._held -= run.places
        self._places.vacate(run.places)
        self.look()

    async def _call(self, run: BatchRun) -> None:
        try:
            with trace(self._tracing, "processBatch", attributes={TelemetryAttributes.BULK_COUNT: len(run.seats)}):
                if self._handler.is_async:
                    returned = await self._call_on_loop(run)
                else:
                    returned = await self._call_in_thread(run)
        except GeneratorExit:  # the loop is gone
            raise
        except BaseException as error:  # noqa: BLE001 - whatever comes out of a handler is a failed attempt of each job
            run.settle_all(error)
        else:
            run.settle_all(returned)

    async def _call_on_loop(self, run: BatchRun) -> Any:
        deadline = asyncio.timeout(None if self._timeout_ms is None else self._timeout_ms / 1000)
        try:
            async with deadline:
                return await self._handler.function(run.jobs)
        except TimeoutError:
            if not deadline.expired():
                raise
            run.time_out(self._timeout_ms or 0)

    async def _call_in_thread(self, run: BatchRun) -> Any:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._concurrency, f"bullworks-{self._queue_name}")
        loop, context = asyncio.get_running_loop(), copy_context()
        for job in run.jobs:
            job.offer_signal()
        jobs = [SyncJob(job, loop) for job in run.jobs]
        running = loop.run_in_executor(
            self._threads, lambda: context.run(returned_or_raised, self._handler.function, jobs)
        )
        await asyncio.wait((running,), timeout=None if self._timeout_ms is None else self._timeout_ms / 1000)
        if not running.done():
            run.time_out(self._timeout_ms or 0)
            facts = {"queue": self._queue_name}
            log.warning(
                "queue %s: a batch's thread runs past its timeout, and keeps its place", self._queue_name, extra=facts
            )
            await asyncio.wait((running,))
        returned, raised = running.result()
        if raised is not None:
            raise raised
        return returned


def _trip(seat: Seat) -> int:
    """The number of the trip that brought a job, which its token ends with: replies may be read in another order."""
    return int((seat.job.token or "0").rpartition(":")[2])
