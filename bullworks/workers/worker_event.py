"""`@on_worker_event`: methods of a host that are told what becomes of its jobs."""

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

from bullworks.bullmq.worker.reporter import WORKER_EVENTS
from bullworks.workers.errors import UnknownWorkerEventError

F = TypeVar("F", bound=Callable[..., Any])

WORKER_EVENT = "__worker_events__"


def on_worker_event(event: str) -> Callable[[F], F]:
    """Call the method on an event of its host's worker; it may stand several times above one method.

    The method may be sync or async and may leave out arguments at the end; one that raises is logged and harms
    no job. Events and arguments: active(job, prev), completed(job, result, prev), failed(job | None, error, prev),
    progress(job, progress), stalled(job_id, prev), drained(), paused(), resumed(), ready(), closing(message),
    closed(), error(error), lock_renewal_failed(job_ids), locks_renewed(info).

    Raises:
        UnknownWorkerEventError: there is no such event; names the nearest.
    """
    if event not in WORKER_EVENTS:
        near = next(iter(difflib.get_close_matches(event, WORKER_EVENTS, n=1)), None)
        raise UnknownWorkerEventError(event, near, sorted(WORKER_EVENTS))

    def mark(method: F) -> F:
        setattr(method, WORKER_EVENT, (*getattr(method, WORKER_EVENT, ()), event))
        return method

    return mark
