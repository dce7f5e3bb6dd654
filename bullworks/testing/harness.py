"""QueueHarness: a queue whose jobs run in this process, when the test says so, with no Redis."""

import asyncio
import time
from collections import Counter
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, cast

from typing_extensions import Unpack

from bullworks.bullmq import Duration, Job, JobOptions, JobState, Queue, WorkerOptions, checked_ms
from bullworks.bullmq.job.job import D
from bullworks.bullmq.job.state import state_of
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.bullmq.worker.processor import Handlers, Processor
from bullworks.closing import Closing
from bullworks.core import Scope
from bullworks.tasks import cancel_and_wait
from bullworks.testing.errors import HarnessSetupError, RunawayError
from bullworks.testing.harness_queue import HarnessQueue
from bullworks.testing.harness_worker import HarnessWorker
from bullworks.testing.memory.job import MemoryJob
from bullworks.testing.memory.jobs import MemoryJobs
from bullworks.testing.recorded_event import RecordedEvent
from bullworks.testing.standalone_enhancers import StandaloneEnhancers
from bullworks.workers import WorkerHost
from bullworks.workers.enhancers.chain import OpenRequest
from bullworks.workers.enhancers.enhancing import Enhancing, Places
from bullworks.workers.fleet import let_listen
from bullworks.workers.per_job import HostPerJob
from bullworks.workers.processing import own_processor
from bullworks.workers.processor import PROCESSOR, ProcessorSpec

_MOST_RUNS = 10_000
_NO_DATA: dict[str, Any] = {}
_NOBODY: frozenset["QueueHarness[Any]"] = frozenset()
# The harnesses whose handlers this is called by, one in the other.
_working: ContextVar[frozenset["QueueHarness[Any]"]] = ContextVar("working", default=_NOBODY)


class QueueHarness(Closing, Generic[D]):
    """Runs a queue's real processors with the engine's own runner, retries, backoff and encoding.

        harness = QueueHarness("email", EmailWorker(mail))
        await harness.add("welcome-email", {"email": "a@b"}, attempts=3, backoff=60_000)
        await harness.drain()
        await harness.advance(60_000)

    What is added waits until `drain()` or `advance()`. `queue` is a Queue for code that adds jobs; in a testing module,
    `use_harness(harness)` lets services have it, and runs the jobs in the module's processors.

    Simulated: adding and its checks, ids, deduplication by id and ttl, priorities, lifo, delays, attempts, backoff,
    retention, pausing, a manual rate limit, progress, logs, worker events, cancellation by the worker and from
    anywhere, `concurrency`, `timeout`, handlers that move their job, steps, sleeps and signals, parents and children,
    guards, interceptors, pipes and filters, batches, and what Queue and Job tell of all this. Flows over several
    queues: see HarnessFlowProducer and HarnessGroup.

    Not simulated, and refused with NotSimulatedError: job schedulers (`repeat`), other deduplication, settings of the
    whole fleet (global concurrency and rate), limits of groups, metrics, `clean`, `obliterate`, `retry_jobs`,
    `Queue.get_dependencies`, workers that are started, jobs taken by hand.
    Not simulated, and passed over: `limiter`; the `min_size` of batches; locks of jobs, which never expire, so that
    nothing stalls; the events of `@queue_events_listener`, for which `events` stands; other workers of the queue;
    `process_pool`, whose handlers run in this process; telemetry.
    The clock moves with `advance` only. A handler's own sleeps, and its `timeout`, take real time.

    Args:
        queue_name: as the queue's.
        processor: a host, decorated with `@processor`, or a function of a job, or several by job name, as Worker takes
            them. None means a testing module has one, or jobs are only looked at.
        now_ms: where the clock begins, ms since the epoch; default: now.
        most_runs: attempts in one call, or waits in `drain_all`, past which RunawayError is raised.
        default_job_options, data_type, result_type: as Queue's; a processor's types hold where none are given.
        options: as Worker's; they go before those of `@processor`.

    Raises:
        InvalidOptionError: a name or an option cannot be used, or a processor cannot be called.
        HarnessSetupError: the host is not a processor of this queue.

    Attributes:
        errors: what handlers raised, in the order in which their attempts ended.
    """

    def __init__(
        self,
        queue_name: str,
        processor: Processor | WorkerHost[Any, Any] | None = None,
        *,
        now_ms: int | None = None,
        most_runs: int = _MOST_RUNS,
        default_job_options: JobOptions | None = None,
        data_type: type[D] | None = None,
        result_type: Any = None,
        **options: Unpack[WorkerOptions],
    ) -> None:
        WorkerOpts.of(options)
        self.queue_name = queue_name
        self._jobs = MemoryJobs(queue_name, time.time_ns() // 1_000_000 if now_ms is None else now_ms)
        self._queue: HarnessQueue[D] = HarnessQueue(
            queue_name,
            self._jobs,
            self._work_soon,
            default_job_options=default_job_options,
            data_type=data_type,
            result_type=result_type,
        )
        self.errors: list[BaseException] = []
        self._options = options
        self._most_runs = most_runs
        self._given = processor
        self._worker: HarnessWorker | None = None
        self._worked_for: WorkerHost[Any, Any] | None = None
        self._turn = asyncio.Lock()
        self._soon: set[asyncio.Task[None]] = set()
        if isinstance(processor, WorkerHost):
            spec = _spec_of(processor, queue_name)
            self._queue.use_types(spec.data_type, spec.result_type)
        elif processor is not None:
            Handlers(processor)

    def __repr__(self) -> str:
        return f"<QueueHarness {self.queue_name!r}, {len(self._jobs.all)} jobs>"

    async def add(
        self,
        name: str,
        data: D = cast(Any, _NO_DATA),
        opts: JobOptions | None = None,
        **options: Unpack[JobOptions],
    ) -> Job[D]:
        """Add one job; see Queue.add."""
        return await self.queue.add(name, data, opts, **options)

    async def drain(self) -> None:
        """Run every due job, and the jobs that these add, until none is due; the clock stands still.

        Raises:
            HarnessSetupError: there are jobs and no processor, or several; or a handler calls this.
            RunawayError: it does not end.
            NotSimulatedError: a handler asked for what a harness does not do.
        """
        if self in _working.get():
            raise HarnessSetupError(self.queue_name, "is running jobs: a handler cannot drain it, only the test can")
        soon, self._soon = self._soon, set()
        for task in soon:
            await task
        await self._drain()

    async def advance(self, duration: Duration) -> None:
        """Advance the clock: run each job that comes due, at its time, in order. Raises as `drain` does."""
        end_ms = self._jobs.now_ms + checked_ms("duration", duration)
        await self.drain()
        while (due_ms := self._jobs.next_due_ms()) is not None and due_ms <= end_ms:
            self._jobs.now_ms = max(due_ms, self._jobs.now_ms)
            await self.drain()
        self._jobs.now_ms = max(end_ms, self._jobs.now_ms)

    async def drain_all(self) -> None:
        """Advance the clock until no job is left to run, through every delay and backoff.

        Raises as `drain` does.
        """
        await self.drain()
        for _ in range(self._most_runs):
            due_ms = self._jobs.next_due_ms()
            if due_ms is None:
                return
            await self.advance(due_ms - self._jobs.now_ms)
        raise RunawayError(self.queue_name, self._most_runs)

    async def close(self) -> None:
        """Cancel what is still scheduled in the background. Closing twice is fine."""
        await cancel_and_wait(*self._soon)

    @property
    def queue(self) -> Queue[D]:
        """The harness's queue, to add jobs with and to inspect them."""
        return self._queue

    @property
    def in_memory(self) -> HarnessQueue[D]:
        """The queue as a HarnessQueue, for parts of this package that join several."""
        return self._queue

    @property
    def now_ms(self) -> int:
        """The harness's clock, ms since the epoch."""
        return self._jobs.now_ms

    @property
    def jobs(self) -> list[Job[D]]:
        """Every job ever added, in order, as it is now or was when removed."""
        return [self._job(job) for job in self._jobs.all.values()]

    @property
    def events(self) -> list[RecordedEvent]:
        """Every event of the queue, in order."""
        return list(self._jobs.events)

    @property
    def counts(self) -> dict[JobState, int]:
        """The number of jobs in each state that has any; removed jobs are `unknown`."""
        return dict(Counter(_state(job) for job in self._jobs.all.values()))

    def jobs_in(self, *states: JobState) -> list[Job[D]]:
        """The jobs in the given states now, in the order in which they were added."""
        return [self._job(job) for job in self._jobs.all.values() if _state(job) in states]

    def events_of(self, job: Job | str) -> list[str]:
        """The names of a job's events, in order."""
        job_id = job if isinstance(job, str) else job.id
        return [event.name for event in self._jobs.events if event.job_id == job_id]

    async def _drain(self) -> None:
        async with self._turn:
            if not self._jobs.has_due:
                return
            worker = await self._current_worker()
            token = _working.set(_working.get() | {self})
            try:
                await worker.work_off()
            finally:
                _working.reset(token)

    def _work_soon(self) -> None:
        """Somebody waits for a job."""
        if self not in _working.get():
            task = asyncio.get_running_loop().create_task(self._drain(), name=f"harness:{self.queue_name}")
            self._soon.add(task)
        elif self._worker is not None:
            self._worker.look_again()

    async def _current_worker(self) -> HarnessWorker:
        """For what is to process jobs now: an override may have had the module's host built again."""
        given = self._given
        if given is None:
            return await self._module_worker()
        if isinstance(given, WorkerHost):
            spec, places = _spec_of(given, self.queue_name), StandaloneEnhancers(type(given), self.queue_name).places
            return await self._worker_of(given, spec, places, _no_request)
        if self._worker is None:
            self._worker = self._new_worker(given, self._options)
        return self._worker

    async def _module_worker(self) -> HarnessWorker:
        source = self._queue.source
        found = [] if source is None else await source.processors_of(self.queue_name)
        if source is None or not found:
            raise HarnessSetupError(
                self.queue_name,
                f'has jobs and no processor: give it one, QueueHarness("{self.queue_name}", processor), or use it in a '
                "testing module that has one",
            )
        if len(found) > 1:
            paths = " and ".join(processor.path for processor in found)
            raise HarnessSetupError(
                self.queue_name, f"has the processors {paths}: give it the one to use, or leave one out"
            )
        (processor,) = found
        if processor.host is not None:
            places = partial(source.places_of, processor)
            return await self._worker_of(processor.host, processor.spec, places, source.modules.request)
        if processor.scope is not Scope.REQUEST:
            raise HarnessSetupError(
                self.queue_name, f"needs a host that is built at the start, or for each job, as {processor.path} is not"
            )
        hosts = HostPerJob(processor.cls, processor.resolve, source.modules)
        places, request = partial(source.places_of, processor), source.modules.request
        enhancing = Enhancing(processor.cls, processor.spec, places, self._queue, request)
        handlers = await enhancing.around(hosts.processor(processor.spec), hosts)
        hosts.worker = worker = self._new_worker(handlers, self._over(processor.spec))
        return worker

    async def _worker_of(
        self, host: WorkerHost[Any, Any], spec: ProcessorSpec, places: Places, request: OpenRequest
    ) -> HarnessWorker:
        if self._worker is None or self._worked_for is not host:
            enhancing = Enhancing(type(host), spec, places, self._queue, request)
            handlers = await enhancing.around(own_processor(host, spec.methods))
            self._worker = self._new_worker(handlers, self._over(spec))
            self._worked_for = host
            let_listen(host, self._worker)
        return self._worker

    def _new_worker(self, processor: Processor, options: WorkerOptions) -> HarnessWorker:
        return HarnessWorker(
            self._queue, self._jobs, processor, errors=self.errors, most_runs=self._most_runs, **options
        )

    def _over(self, spec: ProcessorSpec) -> WorkerOptions:
        return cast(WorkerOptions, {**spec.options, **self._options})

    def _job(self, job: MemoryJob) -> Job[D]:
        return self._queue.memory_scripts.job(job.id, job.fields)


def _spec_of(host: WorkerHost[Any, Any], queue: str) -> ProcessorSpec:
    """What `@processor` says of the host. Raises HarnessSetupError: nothing, or another queue."""
    spec = vars(type(host)).get(PROCESSOR)
    name = type(host).__name__
    if not isinstance(spec, ProcessorSpec):
        raise HarnessSetupError(queue, f'was given a {name}, which has no @processor("{queue}") above it')
    if spec.queue != queue:
        raise HarnessSetupError(queue, f"was given a {name}, which processes the queue {spec.queue!r}")
    return spec


def _no_request(_: object) -> AbstractAsyncContextManager[None]:
    """Outside of modules nothing is REQUEST-scoped."""
    return nullcontext()


def _state(job: MemoryJob) -> JobState:
    return state_of(None if job.state is None else job.state.encode())
