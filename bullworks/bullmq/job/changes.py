"""JobChanges: what anybody may change of a job, and ask about where it is."""

from bullworks.bullmq.cancel.terms import CancelOutcome, stored_reason
from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.job.fields import D, JobFields, R
from bullworks.bullmq.job.store import JobStore
from bullworks.bullmq.options.job import CHECKS
from bullworks.bullmq.wire import codec


class JobChanges(JobFields[D, R]):
    """The methods of Job that need no lock."""

    __slots__ = ()

    _store: JobStore

    async def change_priority(self, *, priority: int = 0, lifo: bool = False) -> None:
        """Change the job's priority; a waiting job moves to the end of its new line.

        Args:
            priority: 1 .. 2**21 - 1, lower runs first; 0 means none, and runs before all that have one.
            lifo: join the head of the line.

        Raises:
            InvalidOptionError: the priority is out of range.
            JobNotFoundError: it was removed.
        """
        CHECKS["priority"]("priority", priority)
        await self._store.change_priority(self.id, priority, lifo=lifo)
        self.absorb({codec.PRIORITY: b"%d" % priority})

    async def change_delay(self, delay: Duration) -> None:
        """Make the job due `delay` from now.

        Raises:
            InvalidOptionError: no duration.
            JobStateError: it is not delayed.
            JobNotFoundError: it was removed.
        """
        delay_ms = checked_ms("delay", delay)
        await self._store.change_delay(self.id, delay_ms)
        self.absorb({codec.DELAY: b"%d" % delay_ms})

    async def cancel(
        self, reason: str | None = None, *, cancel_children: bool = True, remove: bool = False
    ) -> CancelOutcome:
        """Cancel the job, wherever it is or runs; see Queue.cancel. A handler may cancel its own job.

        Raises:
            InvalidOptionError: the reason is not a text, or longer than 1,000 characters.
        """
        outcomes = await self._store.cancel_jobs(
            (self.id,), stored_reason(reason), removes=remove, children=cancel_children
        )
        return outcomes[0]

    async def clear_logs(self, keep_logs: int = 0) -> None:
        """Remove the lines of the job's log except the newest `keep_logs`; a missing job is ignored.

        Raises:
            InvalidOptionError: no whole number >= 0.
        """
        CHECKS["keep_logs"]("keep_logs", keep_logs)
        await self._store.clear_logs(self.id, keep_logs)

    async def is_completed(self) -> bool:
        """Whether the job has completed and was not removed."""
        return await self._store.get_state(self.id) == "completed"

    async def is_failed(self) -> bool:
        """Whether the job has failed for good."""
        return await self._store.get_state(self.id) == "failed"

    async def is_delayed(self) -> bool:
        """Whether the job is delayed."""
        return await self._store.get_state(self.id) == "delayed"

    async def is_active(self) -> bool:
        """Whether a worker is processing the job."""
        return await self._store.get_state(self.id) == "active"

    async def is_waiting(self) -> bool:
        """Whether the job waits for a worker without a priority; as in BullMQ, with one it is `prioritized`."""
        return await self._store.get_state(self.id) == "waiting"

    async def is_waiting_children(self) -> bool:
        """Whether the job waits for its children."""
        return await self._store.get_state(self.id) == "waiting-children"
