"""JobFields: what a job is, as it was read; decoded only where it is looked at."""

from typing import Any, Generic, cast

from typing_extensions import TypeVar

from bullworks.bullmq.errors import JobRevokedError
from bullworks.bullmq.job.cancel_signal import CancelSignal
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.steps.journal import StepJournal
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.group_codec import own_group

D = TypeVar("D", default=Any)
"""What `data` is."""
R = TypeVar("R", default=Any)
"""What the handler returns."""

Progress = float | str | bool | dict[str, Any] | list[Any]

UNREAD: Any = object()

_NUMBERS = (
    codec.ATTEMPTS_STARTED,
    codec.ATTEMPTS_MADE,
    codec.STALLED_COUNTER,
    codec.TIMESTAMP,
    codec.DELAY,
    codec.PRIORITY,
)
# More digits may be past what Lua and JavaScript count with.
_SHORT = 16
_LARGEST = 2**53


def _number(value: bytes) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if abs(number) <= _LARGEST else None  # nor for nan, which compares with nothing


class JobFields(Generic[D, R]):
    """The base of Job: its fields, without methods that need Redis.

    Attributes:
        id: the queue's number for it, or the `job_id` it was added with.
        token: the lock under which this worker holds it; None outside of a worker.
        moved_to: where its own handler put it (`delayed`, `waiting`, `waiting-children`, `completed`, `failed`); None:
            nowhere.
    """

    __slots__ = ("_data", "_fields", "_journal", "_opts", "_progress", "_signal", "id", "moved_to", "token")

    id: str
    token: str | None
    moved_to: str | None
    _fields: dict[bytes, bytes]
    _data: Any
    _opts: JobOpts | None
    _progress: Any
    _signal: CancelSignal | None
    _journal: StepJournal | None

    @property
    def is_ordinary(self) -> bool:
        """Whether the job is neither a scheduler's nor marked to fail unrun: one check, since every attempt asks."""
        fields = self._fields
        return codec.SCHEDULER_ID not in fields and codec.DEFERRED_FAILURE not in fields

    @property
    def signal(self) -> CancelSignal:
        """The signal that tells the handler of a cancellation. A handler that uses it is notified, not stopped.

        Outside of a worker it is never aborted.
        """
        signal = self.offer_signal()
        signal.is_watched = True
        return signal

    def offer_signal(self) -> CancelSignal:
        """The signal for the worker to abort, whether or not the handler uses it yet."""
        if self._signal is None:
            self._signal = CancelSignal(self.id)
        return self._signal

    @property
    def is_cancelled(self) -> bool:
        """Whether the job failed because it was cancelled; `failed_reason` has the reason."""
        return (self.failed_reason or "").startswith(JobRevokedError.CANCELLED)

    @property
    def name(self) -> str:
        return self._text(codec.NAME) or ""

    @property
    def data(self) -> D:
        """The job's payload.

        Raises:
            ValueError: what lies in Redis is not JSON. A worker fails such a job before its handler sees it.
        """
        if self._data is UNREAD:
            self._data = payload.decode(self._fields.get(codec.DATA, b"null"))
        return cast(D, self._data)

    @property
    def opts(self) -> JobOpts:
        if self._opts is None:
            self._opts = codec.decode_opts(self._fields.get(codec.OPTS, b"{}"))
        return self._opts

    @property
    def attempts_made(self) -> int:
        """The number of attempts that have ended, in success or failure."""
        return self._int(codec.ATTEMPTS_MADE)

    @property
    def attempts_started(self) -> int:
        """The number of attempts that have begun, including the present one."""
        return self._int(codec.ATTEMPTS_STARTED)

    @property
    def stalled_counter(self) -> int:
        """How many times the job stalled: its worker vanished while processing it."""
        return self._int(codec.STALLED_COUNTER)

    @property
    def timestamp(self) -> int:
        """When the job was created, ms since the epoch."""
        return self._int(codec.TIMESTAMP)

    @property
    def delay(self) -> int:
        """The job's present delay, ms; 0 once it is due."""
        return self._int(codec.DELAY)

    @property
    def priority(self) -> int:
        return self._int(codec.PRIORITY)

    @property
    def processed_on(self) -> int | None:
        """When the job's last attempt began, ms since the epoch."""
        return self._optional_int(codec.PROCESSED_ON)

    @property
    def finished_on(self) -> int | None:
        """When the job completed or failed for good, ms since the epoch."""
        return self._optional_int(codec.FINISHED_ON)

    @property
    def expires_on(self) -> int | None:
        """The time from which it is not started any more, ms since the epoch; None without the option `expires`."""
        opts = self.opts
        return None if opts.expires is None else opts.expires.deadline_ms(self.timestamp + opts.delay_ms)

    @property
    def processed_by(self) -> str | None:
        """The name of the worker that took the job, if the worker has one."""
        return self._text(codec.PROCESSED_BY)

    def timing(self) -> tuple[int, int | None]:
        """Timing of the present attempt: its start, ms since the epoch, and how long the job had been due, ms.

        The latter is None of an attempt that is not the first: since when it was due is written nowhere. For whoever
        measures every job: one call, without what the properties allow for.

        Raises:
            KeyError, ValueError: the job was not fetched by a worker, or holds times that are none.
        """
        fields = self._fields
        began_ms = int(fields[codec.PROCESSED_ON])
        if fields[codec.ATTEMPTS_STARTED] != b"1":
            return began_ms, None
        return began_ms, began_ms - int(fields[codec.TIMESTAMP]) - self.opts.delay_ms

    @property
    def progress(self) -> Progress:
        """The progress that the handler last reported; 0 at first."""
        if self._progress is UNREAD:
            stored = payload.decode(self._fields.get(codec.PROGRESS, b"0"))
            self._progress = 0 if stored is None else stored
        return cast(Progress, self._progress)

    @property
    def returnvalue(self) -> R | None:
        """The value that the handler returned, once the job has completed."""
        encoded = self._fields.get(codec.RETURN_VALUE)
        return None if encoded is None else cast(R, payload.decode(encoded))

    @property
    def failed_reason(self) -> str | None:
        """The message of the last failure."""
        return self._text(codec.FAILED_REASON)

    @property
    def deferred_failure(self) -> str | None:
        """Why the next worker will fail the job without running it."""
        return self._text(codec.DEFERRED_FAILURE)

    @property
    def stacktrace(self) -> list[str]:
        """The stack traces of failed attempts, the newest last."""
        encoded = self._fields.get(codec.STACK_TRACE)
        return [] if encoded is None else [str(trace) for trace in payload.decode(encoded) or ()]

    @property
    def parent_key(self) -> str | None:
        """The Redis key of the job's parent."""
        return self._text(codec.PARENT_KEY)

    @property
    def deduplication_id(self) -> str | None:
        """The deduplication id with which the job was added."""
        return self._text(codec.DEDUPLICATION_ID)

    @property
    def group(self) -> str | None:
        """The id of the group that it belongs to."""
        return self._text(codec.GROUP) or own_group(self._fields.get(codec.OPTS, b""))

    @property
    def repeat_job_key(self) -> str | None:
        """The id of the job scheduler that created the job."""
        return self._text(codec.SCHEDULER_ID)

    def stored(self, field: bytes) -> bytes | None:
        """Read a stored field of the job's hash, by wire name."""
        return self._fields.get(field)

    def absorb(self, fields: dict[bytes, bytes]) -> None:
        """Take over fields that were stored since the job was read, by wire name."""
        self._fields.update(fields)

    def _text(self, field: bytes) -> str | None:
        value = self._fields.get(field)
        return None if value is None else value.decode("utf-8", "replace")

    def _int(self, field: bytes) -> int:
        return self._optional_int(field) or 0

    def _optional_int(self, field: bytes) -> int | None:
        """What is not a number, which anybody may have written there, is none."""
        value = self._fields.get(field)
        return None if value is None else _number(value)


def _is_first_attempt(fields: dict[bytes, bytes]) -> bool:
    """Whether all numbers are those of a plain job that runs for the first time, as of nearly all jobs."""
    get = fields.get
    created = get(codec.TIMESTAMP, b"")
    return (
        get(codec.ATTEMPTS_STARTED) == b"1"
        and get(codec.DELAY) == b"0"
        and get(codec.PRIORITY) == b"0"
        and codec.ATTEMPTS_MADE not in fields
        and codec.STALLED_COUNTER not in fields
        and len(created) < _SHORT
        and created.isdigit()
    )


def revocation_of(job: JobFields[Any, Any]) -> JobRevokedError | None:
    """Return the error of a job that was cancelled from anywhere; None if it was not."""
    signal = job._signal  # noqa: SLF001 - looking must not make one
    return signal.reason if signal is not None and isinstance(signal.reason, JobRevokedError) else None


def malformed_number(job: JobFields[Any, Any]) -> str | None:
    """Find a numeric field whose stored value is not a number; a worker fails such a job unrun."""
    fields = job._fields
    if _is_first_attempt(fields):
        return None
    for name in _NUMBERS:
        value = fields.get(name)
        # Nearly all are: a few digits.
        if value is not None and not (value.isdigit() and len(value) < _SHORT) and _number(value) is None:
            return f"{name.decode()} is {value[:40].decode('utf-8', 'backslashreplace')!r}, not a number"
    return None
