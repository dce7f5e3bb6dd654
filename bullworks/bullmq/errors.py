"""Errors of the engine. Each keeps its facts as attributes and says what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bullworks.elsewhere import meant_option
from bullworks.errors import FactError
from bullworks.suggestion import suggestion


class QueueError(FactError):
    """Base of the engine's errors."""


@dataclass(eq=False)
class InvalidOptionError(QueueError, ValueError):
    """An option of a queue, job or worker is unknown, of the wrong type or out of range."""

    option: str
    problem: str

    def __str__(self) -> str:
        return f"{self.option}: {self.problem}"

    @classmethod
    def unknown(cls, option: str, known: Iterable[str], *, of_jobs: Iterable[str] = ()) -> "InvalidOptionError":
        """Build the error for an unknown option name; it names the nearest known one, or all.

        Args:
            of_jobs: the options of jobs, where those of something else are known: it may be meant for a job.
        """
        names, jobs = sorted(known), list(of_jobs)
        meant = meant_option(option, [*names, *jobs])
        name, note = (option, "") if meant is None else (meant.name, meant.note and f" ({meant.note})")
        if name in jobs and name not in names:
            hint = f"{name} is an option of jobs: give it to queue.add(), or in default_job_options{note}"
            return cls(option, f"unknown option; {hint}")
        near = name if name in names else suggestion(option, names)
        hint = f"did you mean {near}?{note}" if near else f"known: {', '.join(names)}"
        return cls(option, f"unknown option; {hint}")


@dataclass(eq=False)
class InvalidPayloadError(QueueError, ValueError):
    """A value cannot be stored as JSON, or is not of its type; `path` leads to the part at fault, as in `$.user.age`.

    `queue_name` and `job_name` are those of a job that was not added for it, else "".
    """

    path: str
    problem: str
    queue_name: str = ""
    job_name: str = ""

    def __str__(self) -> str:
        job = f"job {self.job_name!r} for queue {self.queue_name!r}: " if self.queue_name else ""
        return f"{job}{self.path} {self.problem}"

    def of_job(self, queue_name: str, job_name: str) -> "InvalidPayloadError":
        """Copy the error for a job that is not added because of it."""
        return InvalidPayloadError(self.path, self.problem, queue_name, job_name)


@dataclass(eq=False)
class JobNotFoundError(QueueError):
    """The job does not exist: it was removed, by retention or by a caller."""

    job_id: str
    operation: str

    def __str__(self) -> str:
        return f"job {self.job_id}: not found, so {self.operation} did nothing; it was removed"


@dataclass(eq=False)
class LockLostError(QueueError):
    """The job's lock expired or another worker holds it; its outcome was not stored.

    `has_expired`: no worker holds it.
    """

    job_id: str
    operation: str
    has_expired: bool = False

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: lock lost before {self.operation}; it is run again elsewhere. "
            "Was Redis out of reach, or the interpreter blocked, for longer than lock_duration?"
        )


@dataclass(eq=False)
class JobLockedError(QueueError):
    """A worker is running the job, so it cannot be removed."""

    job_id: str
    operation: str

    def __str__(self) -> str:
        return f"job {self.job_id}: a worker is running it, so {self.operation} was refused; try again when it is done"


@dataclass(eq=False)
class JobStateError(QueueError):
    """The job is not in a state in which this can be done."""

    job_id: str
    operation: str
    needed: str

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.operation} needs it to be {self.needed}"


@dataclass(eq=False)
class JobChildrenError(QueueError):
    """The job's children are not all completed, so it cannot be."""

    job_id: str
    problem: str

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}"


@dataclass(eq=False)
class WrongKeyTypeError(QueueError):
    """A key of the queue holds another type than BullMQ's; nothing was changed."""

    job_id: str
    problem: str

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}; remove that key, or give the queue another prefix"


@dataclass(eq=False)
class ScriptFailedError(QueueError):
    """The data in Redis is not what the script can work with; nothing was changed."""

    job_id: str
    problem: str

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}; look at its hash and at the keys of its parent and deduplication id"


class UnrecoverableError(Exception):
    """Raised by a handler to fail its job at once, whatever attempts are left."""


@dataclass(eq=False)
class JobExpiredError(QueueError, UnrecoverableError):
    """The job was not started before its `expires` had passed; its handler was not called.

    Attributes:
        expired_at: when that was, UTC.
        taken_at: when a worker took the job, by Redis's clock, UTC.
    """

    job_id: str
    expired_at: datetime
    taken_at: datetime

    @classmethod
    def of(cls, job_id: str, expired_on: int, processed_on: int) -> "JobExpiredError":
        """Build the error from two times in ms since the epoch: when the job expired, and when it was taken."""
        return cls(job_id, *(datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (expired_on, processed_on)))

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: expired, it was to start before {self.expired_at} and was taken at {self.taken_at}; "
            "give it a longer `expires`, or its queue more workers"
        )


@dataclass(eq=False)
class PayloadAheadError(QueueError):
    """A job's data needs a newer process: a version of its type, or a key, that this one does not know.

    A worker puts such a job back, with no attempt spent, for one that does.
    """

    problem: str

    def __str__(self) -> str:
        return f"the payload {self.problem}; deploy the processes that read before those that write"


@dataclass(eq=False)
class JobTimeoutError(QueueError):
    """A handler ran longer than the job's `timeout`; the attempt counts as failed."""

    job_id: str
    timeout_ms: int

    def __str__(self) -> str:
        return f"job {self.job_id}: ran longer than its timeout of {self.timeout_ms} ms"


@dataclass(eq=False)
class BatchOutcomesError(QueueError, UnrecoverableError):
    """A handler of batches returned what says nothing of its jobs; all of them have failed."""

    jobs: int
    returned: str

    def __str__(self) -> str:
        return (
            f"the handler was called with {self.jobs} jobs and returned {self.returned}; it returns None where "
            "all have completed, or a list with a result or an exception for each, in their order"
        )


@dataclass(eq=False)
class JobCancelledError(QueueError):
    """The job's attempt was cancelled by `worker.cancel_job`; it is tried again as after any failure."""

    job_id: str
    reason: str | None = None

    def __str__(self) -> str:
        return self.reason or f"job {self.job_id} was cancelled"


class JobRevokedError(JobCancelledError, UnrecoverableError):
    """The job was cancelled by `queue.cancel` or `job.cancel`: it has failed, and is not tried again.

    Args:
        reason: as it is stored: "cancelled", or "cancelled: <reason>".
    """

    CANCELLED = "cancelled"
    """What the `failed_reason` of every cancelled job begins with."""


@dataclass(eq=False)
class ActiveJobsError(QueueError):
    """A queue that workers work on cannot be obliterated, unless by force."""

    queue_name: str

    def __str__(self) -> str:
        return f"queue {self.queue_name} has active jobs and was only paused; wait for them, or obliterate(force=True)"


@dataclass(eq=False)
class SchedulerJobError(QueueError):
    """The job is its scheduler's pending job, which can only be removed with the scheduler."""

    job_id: str
    operation: str

    def __str__(self) -> str:
        return f"job {self.job_id}: its scheduler needs it, so {self.operation} was refused; remove the scheduler"


@dataclass(eq=False)
class ParentError(QueueError):
    """A job cannot become the child of the parent it names; it was not added."""

    name: str
    parent_key: str
    problem: str

    def __str__(self) -> str:
        return f"job {self.name!r} cannot be a child of {self.parent_key}: {self.problem}"


@dataclass(eq=False)
class GroupFullError(QueueError):
    """A job's group has as many jobs as it may; the job was not added."""

    name: str
    group: str

    def __str__(self) -> str:
        return (
            f"job {self.name!r} was not added: group {self.group!r} has as many jobs as its max_size allows; "
            "add it once some have ended, or raise the limit with set_group_limits"
        )


@dataclass(eq=False)
class GroupedJobError(QueueError):
    """The job belongs to a group, which decides when it runs."""

    job_id: str
    operation: str

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: it belongs to a group, whose order decides when it runs, so {self.operation} was "
            "refused; give the group another weight, or add the job without a group"
        )


@dataclass(eq=False)
class PartlyAddedError(QueueError):
    """Only some of the jobs or flows added together are stored: one trip to Redis failed, others did not.

    Attributes:
        what: "jobs" or "flows".
        stored: those that are stored: number among what was given, from 0 -> id, of a flow its root's.
        given: how many were given.
        failure: why the others are not, but for a lost connection, after which the state of pending ones is unknown.
    """

    what: str
    stored: Mapping[int, str]
    given: int
    failure: Exception

    def __post_init__(self) -> None:
        self.stored = dict(sorted(self.stored.items()))
        super().__post_init__()

    def __str__(self) -> str:
        return (
            f"{len(self.stored)} of {self.given} {self.what} are stored, numbers {_spans(list(self.stored))} from 0; "
            f"add the others again once this is mended: {self.failure}"
        )


def _spans(numbers: Sequence[int]) -> str:
    """`[0, 1, 2, 5]` -> `0-2, 5`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def addition_error(code: int, name: str, parent_key: str) -> QueueError:
    """Build the error for a code with which lua/lib/add.lua refused to add a job."""
    if code == -5:
        return ParentError(name, parent_key, "there is no such job; add the parent first, or both as a flow")
    if code == -7:
        return ParentError(name, parent_key, "the job of its id is already the child of another parent")
    return QueueError(f"job {name!r}: adding was answered with code {code}")


@dataclass(eq=False)
class JobFailedError(QueueError):
    """The job that was waited for has failed for good."""

    job_id: str
    failed_reason: str

    def __str__(self) -> str:
        return f"job {self.job_id} failed: {self.failed_reason}"


@dataclass(eq=False)
class JobWaitTimeoutError(QueueError, TimeoutError):
    """A job did not finish within the wait's timeout; it may still finish."""

    job_id: str
    queue_name: str
    ttl_ms: int

    def __str__(self) -> str:
        return (
            f"job {self.job_id} of queue {self.queue_name} did not finish within {self.ttl_ms} ms; "
            "it is still running, and can be waited for again"
        )


@dataclass(eq=False)
class EventsClosedError(QueueError):
    """The reader of a queue's events was closed, by itself or with its queue."""

    queue_name: str
    job_id: str | None = None

    def __str__(self) -> str:
        waiting = f" while job {self.job_id} was waited for" if self.job_id else ""
        return f"the events of queue {self.queue_name} were closed{waiting}; make a new QueueEvents or Queue"


@dataclass(eq=False)
class EventsMissedError(QueueError):
    """Events may have been missed: those behind the last one seen are no longer in Redis."""

    queue_name: str
    last_event_id: str
    next_event_id: str

    def __str__(self) -> str:
        return (
            f"events of queue {self.queue_name} may have been missed: the last one seen was {self.last_event_id}, "
            f"reading continues at {self.next_event_id}. They were trimmed before they were read (raise the stream's "
            "max_len, or make callbacks faster), or Redis came back without them"
        )


@dataclass(eq=False)
class MalformedEventError(QueueError, ValueError):
    """An entry of a queue's event stream is not an event, or not in BullMQ's format; it was skipped."""

    event_id: str
    problem: str

    def __str__(self) -> str:
        return f"event {self.event_id} was left out: {self.problem}"


def outcome_error(code: int | bytes, job_id: str, operation: str, *, needed: str = "active") -> QueueError:
    """Convert a script's error code to an exception; the only place that compares the codes.

    Args:
        code: as the headers of lua/advance.lua, remove_job.lua, reprocess_job.lua and promote_job.lua have it.
        operation: what was refused, for the message.
        needed: the state that the operation needs.
    """
    if isinstance(code, bytes):
        problem = code.decode("utf-8", "backslashreplace")
        wrong = WrongKeyTypeError if problem.startswith("WRONGTYPE") else ScriptFailedError
        return wrong(job_id, problem)
    known = {
        -1: JobNotFoundError(job_id, operation),
        -2: LockLostError(job_id, operation, has_expired=True),
        -3: JobStateError(job_id, operation, needed),
        -4: JobChildrenError(job_id, "children are still open, so it cannot be completed"),
        -6: LockLostError(job_id, operation),
        -8: SchedulerJobError(job_id, operation),
        -9: JobChildrenError(job_id, "a child failed, so it cannot be completed"),
        -10: JobLockedError(job_id, operation),
        -11: GroupedJobError(job_id, operation),
    }
    return known.get(code) or QueueError(f"job {job_id}: {operation} was answered with code {code}")


class MovedError(Exception):
    """Base of the errors by which a handler says that it moved its job itself, so no outcome is stored."""


class DelayedError(MovedError):
    """Raised after `await job.move_to_delayed(timestamp)`."""


class WaitingError(MovedError):
    """Raised after `await job.move_to_wait()`."""


class WaitingChildrenError(MovedError):
    """Raised after `await job.move_to_waiting_children()` has answered True."""


class RateLimitError(Exception):
    """Raised after `await worker.rate_limit(ms)`: the job returns to the head of its line until the limit is over."""
