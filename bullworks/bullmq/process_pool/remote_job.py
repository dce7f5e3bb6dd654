"""RemoteJob: a job in a process. It knows what was sent along; whatever needs Redis, the worker's own job does."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from bullworks.bullmq.job.cancel_signal import CancelSignal
from bullworks.bullmq.job.fields import UNREAD
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.store import JobStore
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.process_pool.messages import Answer, Assignment, JobState
from bullworks.bullmq.process_pool.payloads import fields_for_process
from bullworks.bullmq.steps.job_steps import JobSteps
from bullworks.bullmq.wire import codec
from bullworks.bullmq.wire.payload_type import PayloadTypes

Caller = Callable[[str, tuple[Any, ...], dict[str, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """All that is here of the store, for the queue's name and types: what would use more is called in the worker."""

    keys: QueueKeys
    payload_types: PayloadTypes | None


class RemoteJob(Job):
    """The job that a handler in a process receives; its methods run in the worker.

    Args:
        call: has the worker call a method of its job.
        watch: tells the worker that the handler watches its signal.
        types: of what jobs hold; None means any JSON.
    """

    __slots__ = ("_call", "_watch")

    def __init__(
        self, assignment: Assignment, call: Caller, watch: Callable[[], None], types: PayloadTypes | None
    ) -> None:
        store = cast(JobStore, _Elsewhere(QueueKeys(assignment.prefix, assignment.queue_name), types))
        super().__init__(store, assignment.job_id, dict(assignment.fields), assignment.token)
        self._call = call
        self._watch = watch

    @property
    def signal(self) -> CancelSignal:
        """The job's cancellation signal; see Job.signal."""
        signal = self.offer_signal()
        if not signal.is_watched:
            signal.is_watched = True
            self._watch()
        return signal

    async def call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of the worker's job, and take over its changes."""
        answer = await self._call(method, args, kwargs)
        self._become(answer.state)
        if answer.failure is not None:
            raise answer.failure.to_error()
        return answer.result

    def _become(self, state: JobState) -> None:
        for field, value in state.fields.items():
            if value is None:
                self._fields.pop(field, None)
            else:
                self._fields[field] = value
        if codec.DATA in state.fields:
            self._data = UNREAD
        if codec.OPTS in state.fields:
            self._opts = None
        self._progress = UNREAD if state.progress is None else state.progress
        self.moved_to = state.moved_to


def _worker_method(method: str) -> Callable[..., Awaitable[Any]]:
    async def call(self: RemoteJob, *args: Any, **kwargs: Any) -> Any:
        return await self.call(method, args, kwargs)

    return call


# What a step calls is here, so a step is too: it has the worker keep what that came to.
_LOCAL = frozenset(vars(JobSteps))

for _name, _ in inspect.getmembers(Job, inspect.iscoroutinefunction):
    if not _name.startswith("_") and _name not in _LOCAL:
        setattr(RemoteJob, _name, _worker_method(_name))


class JobView:
    """Tracks which of the job's fields a process knows already.

    Attributes:
        fields: the job's hash, as it was told.
    """

    __slots__ = ("_job", "fields")

    def __init__(self, job: Job) -> None:
        self._job = job
        self.fields = fields_for_process(job)

    def news(self) -> JobState:
        """Collect the changes since the last call."""
        told, now = self.fields, fields_for_process(self._job)
        changed: dict[bytes, bytes | None] = {name: value for name, value in now.items() if told.get(name) != value}
        changed |= dict.fromkeys(told.keys() - now.keys())
        self.fields = now
        progress = self._job._progress  # noqa: SLF001 - what has not been looked at stays undecoded
        return JobState(changed, None if progress is UNREAD else progress, self._job.moved_to)
