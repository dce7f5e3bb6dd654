"""SyncJobMoves: the part of SyncJob that moves and changes it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from app.bullmq.durations import Duration
from app.bullmq.job import D, Job, R
from app.bullmq.parent import Parent, ParentOptions
from app.bullmq.sync_call import call

T = TypeVar("T")


class SyncJobMoves(Generic[D, R]):
    """A base of SyncJob."""

    __slots__ = ()

    _job: Job[D, R]
    _loop: asyncio.AbstractEventLoop

    def move_to_delayed(self, timestamp: int, token: str | None = None) -> None:
        """As Job.move_to_delayed."""
        self._call(self._job.move_to_delayed(timestamp, token))

    def move_to_wait(self, token: str | None = None) -> None:
        """As Job.move_to_wait."""
        self._call(self._job.move_to_wait(token))

    def move_to_waiting_children(
        self, token: str | None = None, *, child: Parent | ParentOptions | None = None
    ) -> bool:
        """As Job.move_to_waiting_children."""
        return self._call(self._job.move_to_waiting_children(token, child=child))

    def extend_lock(self, token: str, duration: Duration) -> bool:
        """As Job.extend_lock."""
        return self._call(self._job.extend_lock(token, duration))

    def change_priority(self, *, priority: int = 0, lifo: bool = False) -> None:
        """As Job.change_priority."""
        self._call(self._job.change_priority(priority=priority, lifo=lifo))

    def change_delay(self, delay: Duration) -> None:
        """As Job.change_delay."""
        self._call(self._job.change_delay(delay))

    def clear_logs(self, keep_logs: int = 0) -> None:
        """As Job.clear_logs."""
        self._call(self._job.clear_logs(keep_logs))

    def is_completed(self) -> bool:
        """As Job.is_completed."""
        return self._call(self._job.is_completed())

    def is_failed(self) -> bool:
        """As Job.is_failed."""
        return self._call(self._job.is_failed())

    def is_delayed(self) -> bool:
        """As Job.is_delayed."""
        return self._call(self._job.is_delayed())

    def is_active(self) -> bool:
        """As Job.is_active."""
        return self._call(self._job.is_active())

    def is_waiting(self) -> bool:
        """As Job.is_waiting."""
        return self._call(self._job.is_waiting())

    def is_waiting_children(self) -> bool:
        """As Job.is_waiting_children."""
        return self._call(self._job.is_waiting_children())

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return call(coroutine, self._loop)
