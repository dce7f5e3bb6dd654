"""Slot: one place for a running handler, and how that handler is stopped."""

import asyncio
from typing import Any

from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.job.job import Job


class Slot:
    """Long-lived; runs one handler after another.

    Attributes:
        job: whose handler runs here; None once its outcome is reported.
        started_s: when it was taken.
        task: in which it runs.
        is_settling: the handler has not begun or is over, and what there is to do must not be interrupted.
        cancelled_with: the attempt fails with this, once the handler has seen its cancellation.
    """

    __slots__ = ("cancelled_with", "is_settling", "job", "started_s", "task")

    def __init__(self) -> None:
        self.job: Job[Any, Any] | None = None
        self.started_s = 0.0
        self.task: asyncio.Task[None] | None = None
        self.is_settling = False
        self.cancelled_with: Exception | None = None

    def take(self, job: Job[Any, Any]) -> Job[Any, Any]:
        """Have this job from now on, though its handler has not begun."""
        self.job, self.started_s, self.is_settling = job, asyncio.get_running_loop().time(), True
        return job

    def cancel(self, reason: CancelReason) -> bool:
        """Tell the handler where it watches its signal; else stop it. False: none runs here.

        Only the handler is stopped: the slot lives on.
        """
        job = self.job
        if job is None or self.is_settling:
            return False
        signal = job.offer_signal()
        if signal.abort(reason) and not signal.is_watched:
            self.cancelled_with = signal.error
            if asyncio.current_task() is self.task:
                # The handler cancels itself: it might end before it awaits anything, and then nobody is left to stop.
                asyncio.get_running_loop().call_soon(self._stop, job)
            else:
                self._stop(job)
        return True

    def take_cancellation(self) -> Exception | None:
        """The error of a handler that was stopped, once; the task no longer counts as cancelled for it."""
        error, self.cancelled_with = self.cancelled_with, None
        if error is not None and self.task is not None:
            self.task.uncancel()
        return error

    def _stop(self, job: Job[Any, Any]) -> None:
        if self.job is job and self.task is not None and not self.is_settling:
            self.task.cancel()
        else:
            self.cancelled_with = None
