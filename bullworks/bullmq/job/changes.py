"""JobChanges: what anybody may change of a job, and ask about where it is."""

from bullworks.bullmq.cancel.terms import CancelOutcome, stored_reason
from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.job.fields import D, JobFields, R
from bullworks.bullmq.job.store import JobStore
from bullworks.bullmq.options.job import CHECKS
from bullworks.bullmq.wire import codec


class JobChanges(JobFields[D, R]):
    """The part of Job that needs no lock."""

    __slots__ = ()

    _store: JobStore

    async def change_priority(self, *, priority: int = 0, lifo: bool = False) -> None:
        """Give it another priority; where it waits, it joins the end of its new line.

        Args:
            priority: 1 .. 2**21 - 1, lower runs first; 0: before all that have one.
            lifo: join the head of the line.

        Raises:
            InvalidOptionError: the priority is out of range.
            JobNotFoundError: it was removed.
        """
        CHECKS["priority"]("priority", priority)
        await self._store.change_priority(self.id, priority, lifo=lifo)
        self.absorb({codec.PRIORITY: b"%d" % priority})

    async def change_delay(self, delay: Duration) -> None:
        """Let it be due `delay` from now.

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
        """Cancel it, wherever it is or runs, as Queue.cancel does; a handler may cancel its own job.

        Raises:
            InvalidOptionError: the reason is not a text, or longer than 1,000 characters.
        """
        outcomes = await self._store.cancel_jobs(
            (self.id,), stored_reason(reason), removes=remove, children=cancel_children
        )
        return outcomes[0]

    async def clear_logs(self, keep_logs: int = 0) -> None:
        """Drop the lines of its log, but for the newest `keep_logs`. A job that is gone has none, which is fine.

        Raises:
            InvalidOptionError: no whole number >= 0.
        """
        CHECKS["keep_logs"]("keep_logs", keep_logs)
        await self._store.clear_logs(self.id, keep_logs)

    async def is_completed(self) -> bool:
        """Whether it has completed and was not removed."""
        return await self._store.get_state(self.id) == "completed"

    async def is_failed(self) -> bool:
        """Whether it has failed for good."""
        return await self._store.get_state(self.id) == "failed"

    async def is_delayed(self) -> bool:
        """Whether its time has not come."""
        return await self._store.get_state(self.id) == "delayed"

    async def is_active(self) -> bool:
        """Whether a worker holds it."""
        return await self._store.get_state(self.id) == "active"

    async def is_waiting(self) -> bool:
        """Whether it waits for a worker, with no priority; as in BullMQ, with one it is `prioritized`."""
        return await self._store.get_state(self.id) == "waiting"

    async def is_waiting_children(self) -> bool:
        """Whether it waits for its children."""
        return await self._store.get_state(self.id) == "waiting-children"
