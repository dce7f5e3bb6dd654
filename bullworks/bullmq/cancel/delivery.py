"""CancelDelivery: hands requests to the handlers of one worker, also those that come before their handler has begun."""

import asyncio
import logging
from typing import Protocol

from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.errors import JobRevokedError
from bullworks.bullmq.job.cancel_signal import CancelReason

log = logging.getLogger(__name__)

# The reply with the job may still be on its way, or a step before its handler under way.
_AGAIN_S = 0.02
_PATIENCE_S = 5.0


class CancellableHandlers(Protocol):
    """The handlers that run in a worker."""

    def cancel(self, job_id: str, reason: CancelReason, *, token: str | None = None) -> bool:
        """Cancel the handler of an attempt. False if none runs for it here."""
        ...


class CancelDelivery:
    """Delivers requests to the handlers of one worker; on its event loop only.

    Args:
        queue_name: for the log.
        handlers: of the worker.
    """

    def __init__(self, queue_name: str, handlers: CancellableHandlers) -> None:
        self._queue_name = queue_name
        self._handlers = handlers
        self._early: dict[CancelRequest, float] = {}
        self._again: asyncio.TimerHandle | None = None

    def take(self, request: CancelRequest) -> None:
        """Stop the attempt, or, where its handler does not run yet, try again for 5 s."""
        if not self._deliver(request):
            self._early.setdefault(request, asyncio.get_running_loop().time() + _PATIENCE_S)
            self._come_again()

    def close(self) -> None:
        """Try no more. Closing twice is fine."""
        self._early.clear()
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _deliver(self, request: CancelRequest) -> bool:
        error = JobRevokedError(request.job_id, request.reason)
        is_told = self._handlers.cancel(request.job_id, error, token=request.token)
        if is_told:
            facts = {"queue": self._queue_name, "job_id": request.job_id}
            log.info("job %s is told that it is cancelled", request.job_id, extra=facts)
        return is_told

    def _come_again(self) -> None:
        if self._again is None and self._early:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._try_again)

    def _try_again(self) -> None:
        self._again = None
        now_s = asyncio.get_running_loop().time()
        for request, until_s in list(self._early.items()):
            if self._deliver(request) or now_s > until_s:
                del self._early[request]
        self._come_again()
