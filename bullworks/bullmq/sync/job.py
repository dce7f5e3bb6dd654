"""SyncJob: a job for code that runs in a thread."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from typing_extensions import Unpack

from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.durations import Duration
from bullworks.bullmq.events.waiting import EventSource, checked_ttl
from bullworks.bullmq.job.cancel_signal import CancelSignal
from bullworks.bullmq.job.dependencies import Dependencies, DependenciesCount, DependenciesOptions
from bullworks.bullmq.job.job import D, Job, Progress, R
from bullworks.bullmq.job.state import FinishedState, JobState
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.options.parent import Parent, ParentOptions
from bullworks.bullmq.sync.loop import WAIT_S, call
from bullworks.bullmq.sync.steps import SyncJobSteps

T = TypeVar("T")


class SyncJobMoves(Generic[D, R]):
    """Blocking versions of Job's moves and changes, as a base of SyncJob."""

    __slots__ = ()

    _job: Job[D, R]
    _loop: asyncio.AbstractEventLoop

    def move_to_delayed(self, timestamp: int, token: str | None = None) -> None:
        """Delay the job until a time, blocking; see Job.move_to_delayed."""
        self._call(self._job.move_to_delayed(timestamp, token))

    def move_to_wait(self, token: str | None = None) -> None:
        """Move the job back to wait, blocking; see Job.move_to_wait."""
        self._call(self._job.move_to_wait(token))

    def move_to_waiting_children(
        self, token: str | None = None, *, child: Parent | ParentOptions | None = None
    ) -> bool:
        """Let the job wait for its children, blocking; see Job.move_to_waiting_children."""
        return self._call(self._job.move_to_waiting_children(token, child=child))

    def extend_lock(self, token: str, duration: Duration) -> bool:
        """Extend the job's lock, blocking; see Job.extend_lock."""
        return self._call(self._job.extend_lock(token, duration))

    def change_priority(self, *, priority: int = 0, lifo: bool = False) -> None:
        """Change the job's priority, blocking; see Job.change_priority."""
        self._call(self._job.change_priority(priority=priority, lifo=lifo))

    def change_delay(self, delay: Duration) -> None:
        """Change the job's delay, blocking; see Job.change_delay."""
        self._call(self._job.change_delay(delay))

    def cancel(self, reason: str | None = None, *, cancel_children: bool = True, remove: bool = False) -> CancelOutcome:
        """Cancel the job, blocking; see Job.cancel."""
        return self._call(self._job.cancel(reason, cancel_children=cancel_children, remove=remove))

    def clear_logs(self, keep_logs: int = 0) -> None:
        """Shorten the job's log, blocking; see Job.clear_logs."""
        self._call(self._job.clear_logs(keep_logs))

    def is_completed(self) -> bool:
        """Read whether the job is completed, blocking; see Job.is_completed."""
        return self._call(self._job.is_completed())

    def is_failed(self) -> bool:
        """Read whether the job failed for good, blocking; see Job.is_failed."""
        return self._call(self._job.is_failed())

    def is_delayed(self) -> bool:
        """Read whether the job is delayed, blocking; see Job.is_delayed."""
        return self._call(self._job.is_delayed())

    def is_active(self) -> bool:
        """Read whether the job is active, blocking; see Job.is_active."""
        return self._call(self._job.is_active())

    def is_waiting(self) -> bool:
        """Read whether the job waits for a worker, blocking; see Job.is_waiting."""
        return self._call(self._job.is_waiting())

    def is_waiting_children(self) -> bool:
        """Read whether the job waits for its children, blocking; see Job.is_waiting_children."""
        return self._call(self._job.is_waiting_children())

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return call(coroutine, self._loop)


class SyncJob(SyncJobMoves[D, R], SyncJobSteps[D, R]):
    """A Job with blocking methods, for handlers in threads; the job's event loop runs them.

    A sync `process` receives one, and SyncQueue returns them. For use outside of the loop's own thread only.
    """

    __slots__ = ("_job", "_loop")

    def __init__(self, job: Job[D, R], loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop

    def __repr__(self) -> str:
        return f"<SyncJob {self.id} {self.name!r} of queue {self.queue_name!r}>"

    @property
    def id(self) -> str:
        return self._job.id

    @property
    def token(self) -> str | None:
        return self._job.token

    @property
    def moved_to(self) -> str | None:
        return self._job.moved_to

    @property
    def signal(self) -> CancelSignal:
        """The job's cancellation signal; see Job.signal. Wait for it with `wait_in_thread`."""
        return self._job.signal

    @property
    def queue_name(self) -> str:
        return self._job.queue_name

    @property
    def prefix(self) -> str:
        return self._job.prefix

    @property
    def queue_qualified_name(self) -> str:
        return self._job.queue_qualified_name

    @property
    def name(self) -> str:
        return self._job.name

    @property
    def data(self) -> D:
        return self._job.data

    @property
    def opts(self) -> JobOpts:
        return self._job.opts

    @property
    def attempts_made(self) -> int:
        return self._job.attempts_made

    @property
    def attempts_started(self) -> int:
        return self._job.attempts_started

    @property
    def stalled_counter(self) -> int:
        return self._job.stalled_counter

    @property
    def timestamp(self) -> int:
        return self._job.timestamp

    @property
    def delay(self) -> int:
        return self._job.delay

    @property
    def priority(self) -> int:
        return self._job.priority

    @property
    def processed_on(self) -> int | None:
        return self._job.processed_on

    @property
    def finished_on(self) -> int | None:
        return self._job.finished_on

    @property
    def expires_on(self) -> int | None:
        return self._job.expires_on

    @property
    def processed_by(self) -> str | None:
        return self._job.processed_by

    @property
    def progress(self) -> Progress:
        return self._job.progress

    @property
    def returnvalue(self) -> R | None:
        return self._job.returnvalue

    @property
    def failed_reason(self) -> str | None:
        return self._job.failed_reason

    @property
    def is_cancelled(self) -> bool:
        return self._job.is_cancelled

    @property
    def deferred_failure(self) -> str | None:
        return self._job.deferred_failure

    @property
    def stacktrace(self) -> list[str]:
        return self._job.stacktrace

    @property
    def parent_key(self) -> str | None:
        return self._job.parent_key

    @property
    def deduplication_id(self) -> str | None:
        return self._job.deduplication_id

    @property
    def group(self) -> str | None:
        return self._job.group

    @property
    def repeat_job_key(self) -> str | None:
        return self._job.repeat_job_key

    def refresh(self) -> None:
        """Read the job again, blocking; see Job.refresh."""
        self._call(self._job.refresh())

    def update_progress(self, progress: Progress) -> None:
        """Store and publish the job's progress, blocking; see Job.update_progress."""
        self._call(self._job.update_progress(progress))

    def update_data(self, data: D) -> None:
        """Replace the job's payload, blocking; see Job.update_data."""
        self._call(self._job.update_data(data))

    def log(self, row: str) -> int:
        """Append a line to the job's log, blocking; see Job.log."""
        return self._call(self._job.log(row))

    def logs(self, start: int = 0, end: int = -1) -> list[str]:
        """Read lines of the job's log, blocking; see Job.logs."""
        return self._call(self._job.logs(start, end))

    def get_state(self) -> JobState:
        """Read the job's state, blocking; see Job.get_state."""
        return self._call(self._job.get_state())

    def remove(self, *, remove_children: bool = True) -> None:
        """Remove the job, blocking; see Job.remove."""
        self._call(self._job.remove(remove_children=remove_children))

    def retry(
        self,
        state: FinishedState = "failed",
        *,
        reset_attempts_made: bool = False,
        reset_attempts_started: bool = False,
    ) -> None:
        """Move the job back to wait, blocking; see Job.retry."""
        retrying = self._job.retry(
            state, reset_attempts_made=reset_attempts_made, reset_attempts_started=reset_attempts_started
        )
        self._call(retrying)

    def promote(self) -> None:
        """Move the delayed job to wait, blocking; see Job.promote."""
        self._call(self._job.promote())

    def wait_until_finished(self, queue_events: EventSource | None = None, ttl: Duration | None = None) -> R:
        """Wait for the job's result, blocking; see Job.wait_until_finished."""
        ttl_ms = checked_ttl(ttl)
        longest_s = threading.TIMEOUT_MAX if ttl_ms is None else ttl_ms / 1000 + WAIT_S
        return call(self._job.wait_until_finished(queue_events, ttl), self._loop, wait_s=longest_s)

    def remove_deduplication_key(self) -> bool:
        """Free the job's deduplication id, blocking; see Job.remove_deduplication_key."""
        return self._call(self._job.remove_deduplication_key())

    def get_children_values(self) -> dict[str, Any]:
        """Read what completed children returned, blocking; see Job.get_children_values."""
        return self._call(self._job.get_children_values())

    def get_ignored_children_failures(self) -> dict[str, str]:
        """Read the ignored failures of children, blocking; see Job.get_ignored_children_failures."""
        return self._call(self._job.get_ignored_children_failures())

    def get_failed_children(self) -> list[str]:
        """Read the keys of failed children, blocking; see Job.get_failed_children."""
        return self._call(self._job.get_failed_children())

    def get_dependencies(self, **pages: Unpack[DependenciesOptions]) -> Dependencies:
        """Read the job's children by state, blocking; see Job.get_dependencies."""
        return self._call(self._job.get_dependencies(**pages))

    def get_dependencies_count(self) -> DependenciesCount:
        """Count the job's children by state, blocking; see Job.get_dependencies_count."""
        return self._call(self._job.get_dependencies_count())

    def remove_child_dependency(self) -> bool:
        """Detach the job from its parent, blocking; see Job.remove_child_dependency."""
        return self._call(self._job.remove_child_dependency())

    def remove_unprocessed_children(self) -> int:
        """Remove unfinished descendants, blocking; see Job.remove_unprocessed_children."""
        return self._call(self._job.remove_unprocessed_children())


def async_job(job: SyncJob[D, R]) -> Job[D, R]:
    """The Job behind this SyncJob, for code on its event loop."""
    return job._job  # noqa: SLF001 - a SyncJob has what a Job has, and nothing else
