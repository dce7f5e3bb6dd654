"""CancelSignal: how a handler learns that its job is cancelled. Like the DOM's AbortSignal, which BullMQ hands out."""

import asyncio
import threading
from collections.abc import Callable

from bullworks.bullmq.durations import Duration, to_ms
from bullworks.bullmq.errors import JobCancelledError

CancelReason = str | Exception | None
"""Why: a text, or the error with which the attempt shall fail, such as an UnrecoverableError."""

Callback = Callable[[CancelReason], object]

# A handler in a thread may look while the loop aborts.
_LOCK = threading.Lock()


class CancelSignal:
    """The cancellation signal of one attempt of a job; aborted at most once.

    Attributes:
        is_watched: the handler has asked for it: it is notified, and ends its job by itself. Else it is stopped.
        reason: why it was aborted.
    """

    __slots__ = ("_callbacks", "_event", "_is_aborted", "_job_id", "is_watched", "reason")

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._is_aborted = False
        self._callbacks: list[Callback] = []
        self._event: threading.Event | None = None
        self.is_watched = False
        self.reason: CancelReason = None

    @property
    def aborted(self) -> bool:
        return self._is_aborted

    @property
    def error(self) -> Exception:
        """The error with which an aborted attempt fails."""
        return self.reason if isinstance(self.reason, Exception) else JobCancelledError(self._job_id, self.reason)

    def throw_if_aborted(self) -> None:
        """Raise `error` if the signal is aborted. The attempt then fails, and is retried as usual."""
        if self._is_aborted:
            raise self.error

    async def wait(self) -> CancelReason:
        """Wait until the signal is aborted; returns the reason. Race it with the work, and cancel the loser."""
        aborted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake(_: CancelReason) -> None:
            if not aborted.done():
                aborted.set_result(None)

        self.add_callback(wake)
        try:
            await aborted
        finally:
            self.remove_callback(wake)
        return self.reason

    def wait_in_thread(self, timeout: Duration | None = None) -> bool:
        """Wait for the signal from a handler that runs in a thread.

        Args:
            timeout: how long at most, ms or a timedelta; None for ever.

        Returns:
            Whether it is aborted.
        """
        with _LOCK:
            if self._event is None:
                self._event = threading.Event()
            if self._is_aborted:
                self._event.set()
        return self._event.wait(None if timeout is None else to_ms(timeout, "timeout") / 1000)

    def add_callback(self, callback: Callback) -> None:
        """Call `callback(reason)` on the event loop when the signal is aborted, at once if it already is."""
        with _LOCK:
            if not self._is_aborted:
                self._callbacks.append(callback)
                return
        callback(self.reason)

    def remove_callback(self, callback: Callback) -> None:
        """Remove a callback; an unknown one is ignored."""
        with _LOCK:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def abort(self, reason: CancelReason = None) -> bool:
        """Abort the signal and notify its watchers. Returns whether it was not aborted before."""
        with _LOCK:
            if self._is_aborted:
                return False
            self.reason, self._is_aborted = reason, True
            callbacks, self._callbacks = self._callbacks, []
            if self._event is not None:
                self._event.set()
        for callback in callbacks:
            callback(reason)
        return True
