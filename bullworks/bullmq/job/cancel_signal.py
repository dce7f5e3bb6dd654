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
    """One job's, for one attempt; aborted once, or never.

    Attributes:
        is_watched: the handler has asked for it: it is told, and ends its job as it likes. Else it is stopped.
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
        """With which an attempt fails that was aborted."""
        return self.reason if isinstance(self.reason, Exception) else JobCancelledError(self._job_id, self.reason)

    def throw_if_aborted(self) -> None:
        """Raise `error` once it is aborted. An attempt that raises it has failed, and is tried again as usual."""
        if self._is_aborted:
            raise self.error

    async def wait(self) -> CancelReason:
        """Wait until it is aborted; returns the reason. Race it with the work: the other is then cancelled."""
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
        """The same for a handler in a thread.

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
        """Call `callback(reason)` when it is aborted, on the event loop; at once where it is aborted already."""
        with _LOCK:
            if not self._is_aborted:
                self._callbacks.append(callback)
                return
        callback(self.reason)

    def remove_callback(self, callback: Callback) -> None:
        """Forget it; one that is not there is no error."""
        with _LOCK:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def abort(self, reason: CancelReason = None) -> bool:
        """Tell whoever watches. Returns whether it was not aborted before."""
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
