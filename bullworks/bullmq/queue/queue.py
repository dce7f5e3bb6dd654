"""Queue: adds jobs, and looks at and manages those that are there."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from typing_extensions import Unpack

from bullworks.bullmq.connecting import Connection, check_parent, lease
from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError, JobLockedError, JobNotFoundError
from bullworks.bullmq.events.readers import EventReaders
from bullworks.bullmq.job.job import D, Job
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.job.state import CLEANABLE_STATES, FINISHED_STATES, FinishedState, ListedState, checked_suffix
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.group import without_group
from bullworks.bullmq.options.in_third_place import with_dict
from bullworks.bullmq.options.job import JobOptions, JobOpts
from bullworks.bullmq.options.job_scheduler import NewScheduler
from bullworks.bullmq.options.streams import StreamsOptions, checked_max_len
from bullworks.bullmq.queue.adding import Adding, JobToAdd
from bullworks.bullmq.queue.bulk import NO_DATA, JobSpec, checked_specs, in_chunks
from bullworks.bullmq.queue.cancelling import QueueCancelling
from bullworks.bullmq.queue.counts import QueueCounts
from bullworks.bullmq.queue.dead_letters import DeadLetters, letters_of
from bullworks.bullmq.queue.getters import QueueChildren, QueueGetters
from bullworks.bullmq.queue.groups import QueueGroups
from bullworks.bullmq.queue.limits import QueueLimits
from bullworks.bullmq.queue.schedulers import QueueSchedulers
from bullworks.bullmq.queue.signalling import QueueSignalling
from bullworks.bullmq.queue.upkeep import QueueUpkeep
from bullworks.bullmq.scripts.scripts import META_VERSION, Scripts
from bullworks.bullmq.telemetry.interface import Attributes, SpanKind, Telemetry
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.closing import Closing
from bullworks.elsewhere import without_foreign_calls

_DRAINED = ("wait", "paused", "prioritized", "delayed")


@without_foreign_calls
class Queue(
    QueueGetters[D],
    QueueSchedulers[D],
    QueueGroups[D],
    QueueCounts,
    QueueLimits,
    QueueUpkeep,
    QueueChildren,
    QueueCancelling,
    QueueSignalling,
    Closing,
):
    """A queue by name. Opens no socket until it is first used.

    Args:
        name: no ":" in it; not empty.
        connection: a URL, a redis.asyncio client, or a connection to share.
        prefix: of all its keys in Redis; BullMQ's own default.
        default_job_options: for every job that does not say otherwise.
        streams: how many events are kept; stored in Redis, so it holds for all who use the queue.
        telemetry: what traces its operations, and lets its jobs carry where they were added.
        data_type: what `data` of its jobs is: a pydantic model, a dataclass, or another type that pydantic can check.
            It is checked where it is added and where it is read, and plain JSON in Redis; default: any JSON.
        result_type: the same for what their handlers return.
        encryption: the keys of fields that are `Encrypted`; needed if a type has one.

    Raises:
        InvalidOptionError: a bad name, prefix or default option.
        BadUrlError: a bad URL.
    """

    def __init__(
        self,
        name: str,
        *,
        connection: Connection,
        prefix: str = "bull",
        default_job_options: JobOptions | None = None,
        streams: StreamsOptions | None = None,
        telemetry: Telemetry[Any] | None = None,
        data_type: type[D] | None = None,
        result_type: Any = None,
        encryption: Keyring | None = None,
    ) -> None:
        self.name = name
        self.keys = checked_keys(prefix, name)
        self.default_job_options: JobOptions = default_job_options or {}
        self._default_opts = JobOpts.of(self.default_job_options)
        self._lease = lease(connection, self.keys)
        self.connection = self._lease.connection
        self._readers = EventReaders(self.connection.endpoint)
        self.tracing = None if telemetry is None else Tracing(telemetry, name)
        self.scripts = Scripts(self.connection, self.keys, self._readers.of(self.keys), self.tracing)
        self.data_type: Any = data_type
        self.result_type: Any = result_type
        self.encryption = encryption
        self.scripts.payload_types = self._payload_types()
        self._unstored_max_len = checked_max_len(streams)
        self.adding: Adding | None = None
        """What surrounds `add` and `add_bulk`, if anything does."""

    def __repr__(self) -> str:
        return f"<Queue {self.name!r} at {self.connection.endpoint.describe()}>"

    @property
    def qualified_name(self) -> str:
        """The queue's name with its prefix, as in a job's `parent`: `{"id": ..., "queue": queue.qualified_name}`."""
        return self.keys.base[:-1]

    @property
    def telemetry(self) -> Telemetry[Any] | None:
        return None if self.tracing is None else self.tracing.telemetry.given

    async def close(self) -> None:
        """Fail pending waits and close own connections; a shared connection stays open. Closing twice is fine."""
        with trace(self.tracing, "close"):
            await self._readers.close()
            await self._lease.end()

    async def add(
        self,
        name: str,
        data: D = cast(Any, NO_DATA),
        opts: JobOptions | None = None,
        **options: Unpack[JobOptions],
    ) -> Job[D]:
        """Add one job; returns it once Redis has it. At least once: its handler may run more than once.

        Args:
            name: what kind of job, as in "welcome-email"; not empty.
            data: JSON: None, bool, int, float, str, list, dict with str keys; {} where it is left out, as in BullMQ.
            opts, options: see JobOptions; in a dict, as in npm bullmq, or by name. With `repeat` a job scheduler is
                made, and its pending job returned.

        Raises:
            InvalidOptionError: an unknown or bad option.
            InvalidPayloadError: data that is not JSON, or not of the queue's `data_type`, or too large.
            ParentError: the parent it names is missing, or the job of its id has another.
            GroupFullError: its group has as many jobs as it may.
            ServerError: Redis refused, for example because it is out of memory (OOM).
            ConnectionLostError: the connection broke; the job may or may not be there. Adding it again is safe
                with a `job_id` only.
        """
        given: Mapping[str, Any] = options if opts is None else with_dict(opts, options)
        if self.adding is None:
            return await self._add(name, data, given)
        job = JobToAdd(self.name, name, data, dict(given))
        return await self.adding.around([job], lambda: self._add(job.name, job.data, job.opts))

    async def _add(self, name: str, data: Any, opts: Mapping[str, Any]) -> Job[D]:
        if opts.get("repeat") is not None:
            return await self._add_repeatable(name, data, opts)
        if self.tracing is not None:
            return await self._add_traced(self.tracing, name, data, opts)
        new = self._new_job(name, data, opts)
        if self._unstored_max_len is not None:
            await self._store_max_len(self._unstored_max_len)
        now_ms, ids = await self.scripts.add_jobs((new,))
        return self._added(new, ids[0], now_ms)

    async def add_bulk(self, jobs: Iterable[JobSpec]) -> list[Job[D]]:
        """Add many jobs, in order, in as few trips as their size allows; each trip is all or nothing.

        All are checked before the first is sent. Raises as `add` does, and then nothing was added; or:

        Raises:
            PartlyAddedError: a trip failed and others were stored: it says which jobs those are.
        """
        specs = checked_specs(jobs)
        if self.adding is None:
            return await self._add_bulk(specs)
        surrounded = [JobToAdd(self.name, job.name, job.data, dict(job.opts)) for job in specs]

        async def store() -> list[Job[D]]:
            return await self._add_bulk(
                [JobSpec(job.name, job.data, **cast(JobOptions, job.opts)) for job in surrounded]
            )

        return await self.adding.around(surrounded, store)

    def check_job(self, name: str, data: Any, opts: Mapping[str, Any]) -> NewJob:
        """Check and encode a job as `add` does, without adding it: for what stores jobs elsewhere first.

        Raises:
            InvalidOptionError: an unknown or bad option, `repeat` among them.
            InvalidPayloadError: data that is not JSON, or not of the queue's `data_type`, or too large.
        """
        return self._new_job(name, data, opts)

    async def add_checked(self, jobs: list[NewJob]) -> list[Job[D]]:
        """Add jobs that `check_job` made, in order. Raises as `add_bulk` does."""
        return await self._add_all(jobs)

    async def _add_bulk(self, specs: list[JobSpec]) -> list[Job[D]]:
        if self.tracing is not None:
            return await self._add_bulk_traced(self.tracing, specs)
        return await self._add_all([self._new_job(spec.name, spec.data, spec.opts) for spec in specs])

    async def _add_all(self, new: list[NewJob]) -> list[Job[D]]:
        if self._unstored_max_len is not None:
            await self._store_max_len(self._unstored_max_len)
        return await in_chunks(new, self._add_chunk, lambda job: job.id)

    async def _add_chunk(self, chunk: list[NewJob]) -> list[Job[D]]:
        now_ms, ids = await self.scripts.add_jobs(chunk)
        return [self._added(job, job_id, now_ms) for job, job_id in zip(chunk, ids, strict=True)]

    async def pause(self) -> None:
        """Pause the queue: no worker, in any language, takes a job until `resume`; active jobs continue."""
        with trace(self.tracing, "pause"):
            await self.scripts.pause()

    async def resume(self) -> None:
        """Let workers take jobs again."""
        with trace(self.tracing, "resume"):
            await self.scripts.resume()

    async def clean(self, grace: Duration, state: ListedState = "completed", limit: int = 0) -> list[str]:
        """Remove old jobs in one state, the oldest first; never an active job.

        Args:
            grace: how old they must be: since they finished, else since they were last taken or added.
            state: any but "waiting-children".
            limit: the most to remove; 0 for all. An id takes some 70 bytes of this process: calls with a limit of
                10,000, until one returns fewer, keep it small where there may be millions.

        Returns:
            The ids of those removed: of waiting and active jobs the newest first, else the oldest, as in Node.

        Raises:
            InvalidOptionError: a bad grace, state or limit.
        """
        grace_ms = checked_ms("grace", grace)
        suffix = checked_suffix(state, CLEANABLE_STATES)
        most = checks.whole("limit", limit)
        with trace(self.tracing, "clean") as span:
            removed = await self.scripts.clean(suffix, grace_ms, most or checks.LARGEST_WHOLE)
            span.set_attributes(
                {
                    TelemetryAttributes.QUEUE_GRACE: grace_ms,
                    TelemetryAttributes.JOB_TYPE: state,
                    TelemetryAttributes.QUEUE_CLEAN_LIMIT: most or None,
                    TelemetryAttributes.QUEUE_CLEAN_COUNT: len(removed),
                }
            )
        return removed

    async def drain(self, delayed: bool = False) -> None:  # noqa: FBT001, FBT002 - BullMQ's own argument
        """Remove all waiting jobs, prioritized ones included, and with `delayed` the delayed ones too.

        Active and finished ones stay, and so does what a job scheduler needs.
        """
        with trace(self.tracing, "drain", attributes={TelemetryAttributes.QUEUE_DRAIN_DELAY: delayed}):
            for suffix in _DRAINED if delayed else _DRAINED[:-1]:
                await self.scripts.drain(suffix)

    async def remove(self, job_id: str, *, remove_children: bool = True) -> bool:
        """Remove one job with its children.

        Returns:
            Whether it is gone, also where it never was there; False means a worker is running it, or one of those.

        Raises:
            SchedulerJobError: its job scheduler needs it.
        """
        options = payload.encode({"removeChildren": remove_children}).decode()
        attributes = {TelemetryAttributes.JOB_ID: job_id, TelemetryAttributes.JOB_OPTIONS: options}
        with trace(self.tracing, "remove", attributes=attributes):
            try:
                await self.scripts.remove_job(job_id, children=remove_children)
            except JobNotFoundError:
                return True
            except JobLockedError:
                return False
            return True

    async def remove_deduplication_key(self, deduplication_id: str) -> bool:
        """Free a deduplication id, so that jobs with it can be added again. False if no job holds it."""
        attributes = {TelemetryAttributes.DEDUPLICATION_KEY: deduplication_id}
        with trace(self.tracing, "removeDeduplicationKey", attributes=attributes):
            return await self.scripts.remove_deduplication_key(deduplication_id)

    async def retry_jobs(
        self, state: FinishedState = "failed", *, count: int = 1_000, timestamp: int | None = None
    ) -> int:
        """Retry all failed, or all completed, jobs, the oldest first.

        Args:
            state: which.
            count: how many each step moves, 1 .. 5000.
            timestamp: only those that finished then or before, ms since the epoch; default: now.

        Returns:
            How many there were.
        """
        checked_suffix(state, FINISHED_STATES)
        with trace(self.tracing, "retryJobs", kind=SpanKind.PRODUCER) as span:
            options = {"state": state, "count": count, **({} if timestamp is None else {"timestamp": timestamp})}
            span.set_attributes({TelemetryAttributes.QUEUE_OPTIONS: payload.encode(options).decode()})
            return await self.scripts.retry_jobs(state, checks.whole("count", count, 1, 5_000), timestamp)

    async def wait_until_ready(self) -> None:
        """Connect, and register the queue so that Bull Board lists it even before its first job.

        Raises:
            ConnectError: Redis cannot be reached or refuses this client.
        """
        await self.connection.connect()
        await self.scripts.register_queue(META_VERSION)
        if self._unstored_max_len is not None:
            await self._store_max_len(self._unstored_max_len)

    def dead_letters(self, name: str | None = None) -> DeadLetters:
        """The jobs of this queue that failed for good and were moved to another queue, to move or to replay.

        Args:
            name: of that queue, as the workers' option `dead_letter`; default: this one's with `-dead` behind it.

        Raises:
            InvalidOptionError: no queue may have that name, or it is this one's.
        """
        return letters_of(self.scripts, name)

    async def trim_events(self, max_length: int) -> int:
        """Trim the event stream to about `max_length`; consumers that have not read the removed events miss them.

        Returns:
            How many were removed.

        Raises:
            InvalidOptionError: no whole number.
        """
        checks.whole("max_length", max_length)
        with trace(self.tracing, "trimEvents", attributes={TelemetryAttributes.QUEUE_EVENT_MAX_LENGTH: max_length}):
            return await self.scripts.trim_events(max_length)

    async def _store_max_len(self, max_len: int) -> None:
        await self.scripts.store_max_len(max_len, META_VERSION)
        self._unstored_max_len = None

    async def _upsert(self, scheduler: NewScheduler) -> Job[D]:
        if self._unstored_max_len is not None:
            await self._store_max_len(self._unstored_max_len)
        return await super()._upsert(scheduler)

    async def _add_traced(self, tracing: Tracing, name: str, data: Any, options: Mapping[str, Any]) -> Job[D]:
        with tracing.call("add", kind=SpanKind.PRODUCER, destination=f"{self.name}.{name}") as span:
            (job,) = await self._add_all([self._new_job(name, data, options, span.metadata)])
            span.set_attributes({TelemetryAttributes.JOB_NAME: name, TelemetryAttributes.JOB_ID: job.id})
            return job

    async def _add_bulk_traced(self, tracing: Tracing, jobs: list[JobSpec]) -> list[Job[D]]:
        attributes: Attributes = {
            TelemetryAttributes.BULK_NAMES: [job.name for job in jobs],
            TelemetryAttributes.BULK_COUNT: len(jobs),
        }
        with tracing.call("addBulk", kind=SpanKind.PRODUCER, attributes=attributes) as span:
            return await self._add_all([self._new_job(job.name, job.data, job.opts, span.metadata) for job in jobs])

    def _payload_types(self) -> PayloadTypes | None:
        return PayloadTypes.stored(self.data_type, self.result_type, self.encryption)

    def _new_job(self, name: str, data: Any, options: Mapping[str, Any], metadata: str | None = None) -> NewJob:
        others, group = without_group(options)
        opts = JobOpts.of({**self.default_job_options, **others}) if others else self._default_opts
        if opts.parent is not None and self.connection.endpoint.has_slots:
            check_parent(self.connection.endpoint, self.keys, opts.parent.key)
        return NewJob.of(
            name,
            data,
            opts if metadata is None else opts.carrying(metadata),
            queue_name=self.name,
            types=self.scripts.payload_types,
            group=group,
        )

    def _added(self, new: NewJob, job_id: str, now_ms: int) -> Job[D]:
        return Job(self.scripts, job_id, new.fields(now_ms))


def checked_keys(prefix: str, name: str) -> QueueKeys:
    """Build the keys of a queue. Raises InvalidOptionError if the name or prefix would be ambiguous in Redis."""
    if ":" in checks.text("queue name", name):
        raise InvalidOptionError("queue name", f"must be a non-empty string with no ':', not {name!r}")
    return QueueKeys(checks.text("prefix", prefix), name)
