"""Slot: one place for a running handler, and how that handler is stopped."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis.background import is_ending


class Slot:
    """A long-lived task that runs one handler after another.

    Args:
        name: of its task.
        work: what that task does, given the slot.

    Attributes:
        job: whose handler runs here; None once its outcome is reported.
        started_s: when it was taken, by `time.monotonic`.
        background: what keeps it alive.
        task: in which the handler runs.
        is_settling: the handler has not begun or is over, and what there is to do must not be interrupted.
        cancelled_with: the attempt fails with this, once the handler has seen its cancellation.
    """

    __slots__ = ("_is_stopped", "background", "cancelled_with", "is_settling", "job", "started_s", "task")

    def __init__(self, supervisor: Supervisor, name: str, work: "Callable[[Slot], Coroutine[Any, Any, None]]") -> None:
        self.background = supervisor.background(name, lambda: work(self))
        self._is_stopped = False
        self.job: Job | None = None
        self.started_s = 0.0
        self.task: asyncio.Task[None] | None = None
        self.is_settling = False
        self.cancelled_with: Exception | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the slot's task is ending, because its worker closes or the event loop ends."""
        return self._is_stopped or is_ending(asyncio.get_running_loop())

    def stop(self) -> None:
        """Cancel the handler, and end the slot."""
        self._is_stopped = True
        self.background.cancel()

    def take(self, job: Job) -> Job:
        """Assign a job to the slot, before its handler begins."""
        self.job, self.started_s, self.is_settling = job, monotonic(), True
        return job

    def cancel(self, reason: CancelReason) -> bool:
        """Cancel the handler: through its signal if it uses that, else by cancelling its task. False if none runs.

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
        """Take the error of a cancelled handler, once; the task no longer counts as cancelled."""
        error, self.cancelled_with = self.cancelled_with, None
        if error is not None and self.task is not None:
            self.task.uncancel()
        return error

    async def shake_off(self) -> None:
        """Clear a leftover cancellation, so that it does not affect the next job.

        Raises:
            CancelledError: it is the slot that is to end.
        """
        while self.task is not None and self.task.cancelling() and not self.is_stopped:
            self.task.uncancel()
        try:
            # Before Python 3.13 a cancellation that was not delivered yet comes with the next await all the same.
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self.is_stopped:
                raise
        while self.task is not None and self.task.cancelling() and not self.is_stopped:
            self.task.uncancel()

    def _stop(self, job: Job) -> None:
        if self.job is job and self.task is not None and not self.is_settling:
            self.task.cancel()
        else:
            self.cancelled_with = None
