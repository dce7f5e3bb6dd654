"""Job: one unit of work, as it lies in Redis, decoded only where it is looked at."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bullworks.bullmq.durations import Duration
from bullworks.bullmq.errors import JobNotFoundError, JobStateError
from bullworks.bullmq.events.waiting import EventSource, wait_until_finished
from bullworks.bullmq.job.changes import JobChanges
from bullworks.bullmq.job.family import JobFamily
from bullworks.bullmq.job.fields import UNREAD, D, Progress, R
from bullworks.bullmq.job.state import FINISHED_STATES, FinishedState, JobState, checked_suffix
from bullworks.bullmq.job.store import JobStore
from bullworks.bullmq.job.stub import StubStore, stub_fields
from bullworks.bullmq.options.job import JobOptions
from bullworks.bullmq.steps.errors import StepNotFoundError
from bullworks.bullmq.steps.job_steps import JobSteps
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.bullmq.wire.step_codec import decode_marks, signal_field

__all__ = ["D", "Job", "Progress", "ProgressCallback", "R"]

ProgressCallback = Callable[["Job", Progress], None]


class Job(JobSteps[D, R], JobChanges[D, R], JobFamily):
    """A job of a queue. Attributes are as of the last read; `refresh()` reads the job again.

    Attributes:
        on_progress: called after each update_progress; the worker's.
    """

    __slots__ = ("_store", "on_progress")

    def __init__(self, store: JobStore, job_id: str, fields: dict[bytes, bytes], token: str | None = None) -> None:
        self._store = store
        self._fields = fields
        self._data = UNREAD
        self._opts = None
        self._progress = UNREAD
        self._signal = None
        self._journal = None
        self.on_progress: ProgressCallback | None = None
        self.id = job_id
        self.token = token
        self.moved_to = None

    @classmethod
    def from_reply(cls, store: JobStore, job_id: str, flat: Sequence[bytes], token: str | None = None) -> "Job[D, R]":
        """Build a job from an HGETALL reply, which alternates names and values."""
        pairs = iter(flat)
        return cls(store, job_id, dict(zip(pairs, pairs, strict=True)), token)

    @classmethod
    def stub(
        cls,
        data: D = cast(Any, None),
        *,
        name: str = "stub",
        id: str = "stub",  # noqa: A002 - the attribute's own name
        opts: JobOptions | None = None,
        attempts_made: int = 0,
        children_values: Mapping[str, Any] | None = None,
    ) -> "Job[D, R]":
        """Build a job for unit tests of a handler, without Redis: as if a worker were running it.

        What is written to it is kept in memory: look at `progress`, `data` and `await job.logs()`.

        Args:
            data, opts: checked as by Queue.add, with the same errors; data may be a pydantic model or a dataclass.
            attempts_made: attempts that have failed before this one.
            children_values: what get_children_values() answers.
        """
        payload_types = PayloadTypes.of_value(data)
        plain = data if payload_types is None else payload_types.plain_data(data)
        fields = stub_fields(name, plain, opts or {}, attempts_made)
        store = StubStore(fields, children_values, payload_types)
        return cls(store, id, fields, token="stub")  # noqa: S106 - a lock's name, no secret

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name!r} of queue {self.queue_name!r}>"  # never its data

    @property
    def data(self) -> D:
        """The job's payload.

        Raises:
            ValueError: what lies in Redis is not JSON, or, an InvalidPayloadError, not of the type that its queue or
                worker was given. A worker fails such a job before its handler sees it.
        """
        if self._data is UNREAD:
            types, encoded = self._store.payload_types, self._fields.get(codec.DATA, b"null")
            data_type = None if types is None else types.data
            self._data = payload.decode(encoded) if data_type is None else data_type.decode(encoded)
        data: D = self._data  # no cast(): that is a call, and every job comes here
        return data

    @property
    def returnvalue(self) -> R | None:
        """The value that the handler returned, once the job has completed. Raises as `data` does."""
        types, encoded = self._store.payload_types, self._fields.get(codec.RETURN_VALUE)
        if encoded is None or types is None or types.result is None:
            return super().returnvalue
        return cast(R, types.result.decode(encoded))

    @property
    def queue_name(self) -> str:
        return self._store.keys.name

    @property
    def prefix(self) -> str:
        """The prefix of the queue's keys in Redis."""
        return self._store.keys.prefix

    @property
    def queue_qualified_name(self) -> str:
        """The queue's name with its prefix, as in the option `parent` of a job."""
        return self._store.keys.base[:-1]

    async def refresh(self) -> None:
        """Read all fields of the job from Redis again.

        Raises:
            JobNotFoundError: it was removed.
        """
        fields = await self._store.read_fields(self.id)
        if not fields:
            raise JobNotFoundError(self.id, "refresh")
        self._fields = fields
        self._data, self._opts, self._progress = UNREAD, None, UNREAD

    async def update_progress(self, progress: Progress) -> None:
        """Store the job's progress and publish it: a number, a text, or any JSON.

        Raises:
            InvalidPayloadError: it is not JSON.
            JobNotFoundError: it was removed.
        """
        await self._store.update_progress(self.id, payload.encode(progress))
        self._progress = progress
        if self.on_progress is not None:
            self.on_progress(self, progress)

    async def update_data(self, data: D) -> None:
        """Replace the job's payload: the next attempt sees the new one.

        Raises:
            InvalidPayloadError: it is not JSON, or not of the queue's type, or larger than the job's size_limit.
            JobNotFoundError: it was removed.
        """
        limit_bytes = min(self.opts.size_limit or payload.LARGEST_BYTES, payload.LARGEST_BYTES)
        types = self._store.payload_types
        plain = data if types is None else types.plain_data(data)
        encoded = payload.encode(plain, limit_bytes=limit_bytes)
        await self._store.update_data(self.id, encoded)
        self._fields[codec.DATA] = encoded
        self._data = data

    async def log(self, row: str) -> int:
        """Append a line to the job's log, which keeps the newest `keep_logs`. Returns the number of lines.

        Raises:
            JobNotFoundError: it was removed.
        """
        return await self._store.add_log(self.id, row, self.opts.keep_logs)

    async def logs(self, start: int = 0, end: int = -1) -> list[str]:
        """Read lines `start` to `end` of the job's log, both included, oldest first."""
        return (await self._store.read_logs(self.id, start, end)).logs

    async def get_state(self) -> JobState:
        """Read the job's present state; "unknown" if it was removed."""
        return await self._store.get_state(self.id)

    async def wait_until_finished(self, queue_events: EventSource | None = None, ttl: Duration | None = None) -> R:
        """Wait for the job to complete, without polling, and return what the handler returned.

        Args:
            queue_events: a QueueEvents of the job's queue; default: one that the Queue, FlowProducer or
                Worker that the job comes from shares among its jobs.
            ttl: how long to wait at most, ms or a timedelta; None for ever.

        Raises:
            JobFailedError: it failed for good, with the reason.
            JobNotFoundError: it was removed, perhaps by `remove_on_complete` before anybody waited.
            JobWaitTimeoutError: it did not finish within `ttl`; a TimeoutError.
            EventsClosedError: where the job comes from, or `queue_events`, was closed.
        """
        result = await wait_until_finished(self._store, self.id, queue_events, ttl)
        types = self._store.payload_types
        result_type = None if types is None else types.result
        return cast(R, result if result_type is None else result_type.decode(payload.encode(result)))

    async def remove_deduplication_key(self) -> bool:
        """Free the job's deduplication id, so that other jobs with it can be added. False if it is not this job's."""
        deduplication_id = self.deduplication_id
        return deduplication_id is not None and await self._store.remove_deduplication_key(deduplication_id, self.id)

    async def remove(self, *, remove_children: bool = True) -> None:
        """Remove the job with its log and its children. A job that is gone already is ignored.

        Raises:
            JobLockedError: a worker is running it, or one of those.
            SchedulerJobError: its job scheduler needs it.
        """
        try:
            await self._store.remove_job(self.id, children=remove_children)
        except JobNotFoundError:
            return

    async def retry(
        self,
        state: FinishedState = "failed",
        *,
        reset_attempts_made: bool = False,
        reset_attempts_started: bool = False,
    ) -> None:
        """Move a finished job back to wait, for one more attempt or, with its attempts reset, for all of them.

        Args:
            state: where it must be now, `failed` or `completed`.
            reset_attempts_made, reset_attempts_started: forget the attempts so far.

        Raises:
            JobStateError: it is elsewhere.
            JobNotFoundError: it was removed.
        """
        checked_suffix(state, FINISHED_STATES)
        await self._store.reprocess_job(
            self.id,
            state,
            lifo=self.opts.lifo,
            resets_made=reset_attempts_made,
            resets_started=reset_attempts_started,
        )
        for field in codec.OUTCOME_FIELDS[state]:
            self._fields.pop(field, None)
        if reset_attempts_made:
            self._fields.pop(codec.ATTEMPTS_MADE, None)
        if reset_attempts_started:
            self._fields.pop(codec.ATTEMPTS_STARTED, None)

    async def retry_from(self, step: str) -> None:
        """Run a finished job again from one of its steps on, with all its attempts.

        That step, and those that were done after it, are forgotten, with the signals that they waited for; earlier ones
        are not run again.

        Args:
            step: the name of a step, cursor, sleep or signal that the job came to.

        Raises:
            StepNotFoundError: it came to none of that name.
            JobStateError: it has not finished, or was retried in the meantime.
            JobNotFoundError: it was removed.
        """
        await self.refresh()
        marks = decode_marks(self._fields)
        first = next((mark.number for mark in marks.values() if mark.name == step), None)
        if first is None:
            raise StepNotFoundError(self.id, step, [mark.name for mark in marks.values()])
        forgotten = [(field, mark) for field, mark in marks.items() if mark.number >= first]
        fields = [field for field, _ in forgotten]
        fields += [signal_field(mark.name) for _, mark in forgotten if mark.kind == "wait"]
        state = await self.get_state()
        if state not in {"completed", "failed"}:
            raise JobStateError(self.id, "retry_from", "completed or failed")
        await self._store.reprocess_job(
            self.id,
            "completed" if state == "completed" else "failed",
            lifo=self.opts.lifo,
            resets_made=True,
            resets_started=False,
            forgets=fields,
        )
        await self.refresh()

    async def promote(self) -> None:
        """Move a delayed job to wait, so that it runs as soon as a worker is free.

        Raises:
            JobStateError: it is not delayed.
            JobNotFoundError: it was removed.
        """
        await self._store.promote_job(self.id)
        self._fields[codec.DELAY] = b"0"


def show_data(job: Job[Any, Any], data: Any) -> None:
    """Have `job.data` be this, in this object only: Redis keeps what was added."""
    job._data = data  # noqa: SLF001 - no method of it: handlers store data with `update_data`
