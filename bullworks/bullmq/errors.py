"""Errors of the engine. Each keeps its facts as attributes and says what to do."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

# What other libraries call options of jobs, where that is not nearly the name that they have here.
_NAMES_ELSEWHERE = {
    "retries": "attempts",
    "retry": "attempts",
    "max_retries": "attempts",
    "countdown": "delay",
    "eta": "delay",
}


class QueueError(Exception):
    """Base of the engine's errors."""


class InvalidOptionError(QueueError, ValueError):
    """An option of a queue, job or worker is unknown, of the wrong type or out of range."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(option, problem)
        self.option = option
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.option}: {self.problem}"

    @classmethod
    def unknown(cls, option: str, known: Iterable[str], *, of_jobs: Iterable[str] = ()) -> "InvalidOptionError":
        """For a name that is none of `known`: names the near one, or all.

        Args:
            of_jobs: the options of jobs, where those of something else are known: it may be meant for a job.
        """
        names = sorted(known)
        meant = _NAMES_ELSEWHERE.get(option, option)
        if meant in of_jobs:
            hint = f"{meant} is an option of jobs: give it to queue.add(), or in default_job_options of the queue"
            return cls(option, f"unknown option; {hint}")
        near = [meant] if meant in names else difflib.get_close_matches(option, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
        return cls(option, f"unknown option; {hint}")


class InvalidPayloadError(QueueError, ValueError):
    """A value cannot be stored as JSON; `path` leads to the part at fault, as in `$.user.age`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


class JobNotFoundError(QueueError):
    """There is no such job: it was removed, by retention or by somebody."""

    def __init__(self, job_id: str, operation: str) -> None:
        super().__init__(job_id, operation)
        self.job_id = job_id
        self.operation = operation

    def __str__(self) -> str:
        return f"job {self.job_id}: not found, so {self.operation} did nothing; it was removed"


class LockLostError(QueueError):
    """The job's lock expired or another worker holds it; its outcome was not stored.

    `has_expired`: nobody holds it.
    """

    has_expired = False

    def __init__(self, job_id: str, operation: str) -> None:
        super().__init__(job_id, operation)
        self.job_id = job_id
        self.operation = operation

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: lock lost before {self.operation}; it is run again elsewhere. "
            "Was Redis out of reach, or the interpreter blocked, for longer than lock_duration?"
        )


class JobLockedError(QueueError):
    """A worker is running the job, so it cannot be removed."""

    def __init__(self, job_id: str, operation: str) -> None:
        super().__init__(job_id, operation)
        self.job_id = job_id
        self.operation = operation

    def __str__(self) -> str:
        return f"job {self.job_id}: a worker is running it, so {self.operation} was refused; try again when it is done"


class JobStateError(QueueError):
    """The job is not in a state in which this can be done."""

    def __init__(self, job_id: str, operation: str, needed: str) -> None:
        super().__init__(job_id, operation, needed)
        self.job_id = job_id
        self.operation = operation
        self.needed = needed

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.operation} needs it to be {self.needed}"


class JobChildrenError(QueueError):
    """The job's children are not all completed, so it cannot be."""

    def __init__(self, job_id: str, problem: str) -> None:
        super().__init__(job_id, problem)
        self.job_id = job_id
        self.problem = problem

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}"


class WrongKeyTypeError(QueueError):
    """A key of the queue holds another type than BullMQ's; nothing was changed."""

    def __init__(self, job_id: str, problem: str) -> None:
        super().__init__(job_id, problem)
        self.job_id = job_id
        self.problem = problem

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}; remove that key, or give the queue another prefix"


class ScriptFailedError(QueueError):
    """What lies in Redis under the job, or beside it, is not what a script can work with; nothing was changed."""

    def __init__(self, job_id: str, problem: str) -> None:
        super().__init__(job_id, problem)
        self.job_id = job_id
        self.problem = problem

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.problem}; look at its hash and at the keys of its parent and deduplication id"


class UnrecoverableError(Exception):
    """Raised by a handler to fail its job at once, whatever attempts are left."""


class JobExpiredError(QueueError, UnrecoverableError):
    """The job was not started before its time was over, see the option `expires`; its handler was not called.

    Attributes:
        expired_at: when that was, UTC.
        taken_at: when a worker took the job, by Redis's clock, UTC.
    """

    def __init__(self, job_id: str, expired_at: datetime, taken_at: datetime) -> None:
        super().__init__(job_id, expired_at, taken_at)
        self.job_id = job_id
        self.expired_at = expired_at
        self.taken_at = taken_at

    @classmethod
    def of(cls, job_id: str, expired_on: int, processed_on: int) -> "JobExpiredError":
        """From what the job's properties of these names say, ms since the epoch."""
        return cls(job_id, *(datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (expired_on, processed_on)))

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: expired, it was to start before {self.expired_at} and was taken at {self.taken_at}; "
            "give it a longer `expires`, or its queue more workers"
        )


class JobTimeoutError(QueueError):
    """A handler ran longer than the job's `timeout`; the attempt counts as failed."""

    def __init__(self, job_id: str, timeout_ms: int) -> None:
        super().__init__(job_id, timeout_ms)
        self.job_id = job_id
        self.timeout_ms = timeout_ms

    def __str__(self) -> str:
        return f"job {self.job_id}: ran longer than its timeout of {self.timeout_ms} ms"


class JobCancelledError(QueueError):
    """The job's attempt was cancelled by `worker.cancel_job`; it is tried again as after any failure."""

    def __init__(self, job_id: str, reason: str | None = None) -> None:
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        return self.reason or f"job {self.job_id} was cancelled"


class ActiveJobsError(QueueError):
    """A queue that workers work on cannot be obliterated, unless by force."""

    def __init__(self, queue_name: str) -> None:
        super().__init__(queue_name)
        self.queue_name = queue_name

    def __str__(self) -> str:
        return f"queue {self.queue_name} has active jobs and was only paused; wait for them, or obliterate(force=True)"


class SchedulerJobError(QueueError):
    """The job is the one that its scheduler keeps waiting: it leaves with the scheduler only."""

    def __init__(self, job_id: str, operation: str) -> None:
        super().__init__(job_id, operation)
        self.job_id = job_id
        self.operation = operation

    def __str__(self) -> str:
        return f"job {self.job_id}: its scheduler needs it, so {self.operation} was refused; remove the scheduler"


class ParentError(QueueError):
    """A job cannot become the child of the parent it names; it was not added."""

    def __init__(self, name: str, parent_key: str, problem: str) -> None:
        super().__init__(name, parent_key, problem)
        self.name = name
        self.parent_key = parent_key
        self.problem = problem

    def __str__(self) -> str:
        return f"job {self.name!r} cannot be a child of {self.parent_key}: {self.problem}"


class PartlyAddedError(QueueError):
    """Of many jobs or flows that were added together some are stored: one trip to Redis failed, and others did not.

    Attributes:
        what: "jobs" or "flows".
        stored: those that are stored: number among what was given, from 0 -> id, of a flow its root's.
        given: how many were given.
        failure: why the others are not, but for a lost connection, after which nobody knows of those under way.
    """

    def __init__(self, what: str, stored: Mapping[int, str], given: int, failure: Exception) -> None:
        super().__init__(what, stored, given, failure)
        self.what = what
        self.stored = dict(sorted(stored.items()))
        self.given = given
        self.failure = failure

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
    """What lua/lib/add.lua's refusal to add a job means."""
    if code == -5:
        return ParentError(name, parent_key, "there is no such job; add the parent first, or both as a flow")
    if code == -7:
        return ParentError(name, parent_key, "the job of its id is already the child of another parent")
    return QueueError(f"job {name!r}: adding was answered with code {code}")


class JobFailedError(QueueError):
    """The job that was waited for has failed for good."""

    def __init__(self, job_id: str, failed_reason: str) -> None:
        super().__init__(job_id, failed_reason)
        self.job_id = job_id
        self.failed_reason = failed_reason

    def __str__(self) -> str:
        return f"job {self.job_id} failed: {self.failed_reason}"


class JobWaitTimeoutError(QueueError, TimeoutError):
    """A job did not finish while somebody waited for it; it may still."""

    def __init__(self, job_id: str, queue_name: str, ttl_ms: int) -> None:
        super().__init__(job_id, queue_name, ttl_ms)
        self.job_id = job_id
        self.queue_name = queue_name
        self.ttl_ms = ttl_ms

    def __str__(self) -> str:
        return (
            f"job {self.job_id} of queue {self.queue_name} did not finish within {self.ttl_ms} ms; "
            "it goes on, and can be waited for again"
        )


class EventsClosedError(QueueError):
    """The reader of a queue's events was closed, by itself or with its queue."""

    def __init__(self, queue_name: str, job_id: str | None = None) -> None:
        super().__init__(queue_name, job_id)
        self.queue_name = queue_name
        self.job_id = job_id

    def __str__(self) -> str:
        waiting = f" while job {self.job_id} was waited for" if self.job_id else ""
        return f"the events of queue {self.queue_name} were closed{waiting}; make a new QueueEvents or Queue"


class EventsMissedError(QueueError):
    """Events may have been missed: those behind the last one seen are no longer in Redis."""

    def __init__(self, queue_name: str, last_event_id: str, next_event_id: str) -> None:
        super().__init__(queue_name, last_event_id, next_event_id)
        self.queue_name = queue_name
        self.last_event_id = last_event_id
        self.next_event_id = next_event_id

    def __str__(self) -> str:
        return (
            f"events of queue {self.queue_name} may have been missed: the last one seen was {self.last_event_id}, "
            f"reading goes on at {self.next_event_id}. They were trimmed before they were read (raise the stream's "
            "max_len, or make callbacks faster), or Redis came back without them"
        )


class MalformedEventError(QueueError, ValueError):
    """An entry of a queue's event stream is no event, or not as BullMQ writes it; it was left out."""

    def __init__(self, event_id: str, problem: str) -> None:
        super().__init__(event_id, problem)
        self.event_id = event_id
        self.problem = problem

    def __str__(self) -> str:
        return f"event {self.event_id} was left out: {self.problem}"


def outcome_error(code: int | bytes, job_id: str, operation: str, *, needed: str = "active") -> QueueError:
    """What a script's refusal means, the only place that compares its codes.

    Args:
        code: as the headers of lua/advance.lua, remove_job.lua, reprocess_job.lua and promote_job.lua have it.
        operation: what was refused, for the message.
        needed: the state that the operation needs.
    """
    if isinstance(code, bytes):
        problem = code.decode("utf-8", "backslashreplace")
        wrong = WrongKeyTypeError if problem.startswith("WRONGTYPE") else ScriptFailedError
        return wrong(job_id, problem)
    expired = LockLostError(job_id, operation)
    expired.has_expired = True
    known = {
        -1: JobNotFoundError(job_id, operation),
        -2: expired,
        -3: JobStateError(job_id, operation, needed),
        -4: JobChildrenError(job_id, "children are still open, so it cannot be completed"),
        -6: LockLostError(job_id, operation),
        -8: SchedulerJobError(job_id, operation),
        -9: JobChildrenError(job_id, "a child failed, so it cannot be completed"),
        -10: JobLockedError(job_id, operation),
    }
    return known.get(code) or QueueError(f"job {job_id}: {operation} was answered with code {code}")


class MovedError(Exception):
    """Base of those that say: I have moved the job myself, so there is nothing to store."""


class DelayedError(MovedError):
    """Raised after `await job.move_to_delayed(timestamp)`."""


class WaitingError(MovedError):
    """Raised after `await job.move_to_wait()`."""


class WaitingChildrenError(MovedError):
    """Raised after `await job.move_to_waiting_children()` has answered True."""


class RateLimitError(Exception):
    """Raised after `await worker.rate_limit(ms)`: the job returns to the head of its line until the limit is over."""
