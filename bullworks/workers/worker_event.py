"""`@on_worker_event`: methods of a host that receive its worker's events."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from bullworks.bullmq import Job
from bullworks.bullmq.worker.reporter import WORKER_EVENTS
from bullworks.suggestion import suggestion
from bullworks.workers.errors import UnknownWorkerEventError

# What the methods may take, for type checkers: the object they belong to, then what the event brings, or less of it.
_Alone = Callable[[Any], object]
_Text = Callable[[Any, str], object] | _Alone
F = TypeVar("F", bound=Callable[..., Any])
Active = TypeVar("Active", bound=Callable[[Any, Job, str], object] | Callable[[Any, Job], object] | _Alone)
Completed = TypeVar(
    "Completed",
    bound=Callable[[Any, Job, Any, str], object]
    | Callable[[Any, Job, Any], object]
    | Callable[[Any, Job], object]
    | _Alone,
)
Failed = TypeVar(
    "Failed",
    bound=Callable[[Any, Job | None, BaseException, str], object]
    | Callable[[Any, Job | None, BaseException], object]
    | Callable[[Any, Job | None], object]
    | _Alone,
)
Progress = TypeVar("Progress", bound=Callable[[Any, Job, Any], object] | Callable[[Any, Job], object] | _Alone)
Stalled = TypeVar("Stalled", bound=Callable[[Any, str, str], object] | _Text)
Life = TypeVar("Life", bound=_Alone)
Closing = TypeVar("Closing", bound=_Text)
Errors = TypeVar("Errors", bound=Callable[[Any, BaseException], object] | _Alone)
LocksLost = TypeVar("LocksLost", bound=Callable[[Any, list[str]], object] | _Alone)
LocksRenewed = TypeVar("LocksRenewed", bound=Callable[[Any, dict[str, Any]], object] | _Alone)

WORKER_EVENT = "__worker_events__"


@overload
def on_worker_event(event: Literal["active"]) -> Callable[[Active], Active]: ...
@overload
def on_worker_event(event: Literal["completed"]) -> Callable[[Completed], Completed]: ...
@overload
def on_worker_event(event: Literal["failed"]) -> Callable[[Failed], Failed]: ...
@overload
def on_worker_event(event: Literal["progress"]) -> Callable[[Progress], Progress]: ...
@overload
def on_worker_event(event: Literal["stalled"]) -> Callable[[Stalled], Stalled]: ...
@overload
def on_worker_event(event: Literal["drained", "paused", "resumed", "ready", "closed"]) -> Callable[[Life], Life]: ...
@overload
def on_worker_event(event: Literal["closing"]) -> Callable[[Closing], Closing]: ...
@overload
def on_worker_event(event: Literal["error"]) -> Callable[[Errors], Errors]: ...
@overload
def on_worker_event(event: Literal["lock_renewal_failed"]) -> Callable[[LocksLost], LocksLost]: ...
@overload
def on_worker_event(event: Literal["locks_renewed"]) -> Callable[[LocksRenewed], LocksRenewed]: ...
def on_worker_event(event: str) -> Callable[[F], F]:
    """Call the method on an event of its host's worker; may be applied several times.

    The method may be sync or async and may leave out arguments at the end; one that raises is logged and harms
    no job. Events and arguments: active(job, prev), completed(job, result, prev), failed(job | None, error, prev),
    progress(job, progress), stalled(job_id, prev), drained(), paused(), resumed(), ready(), closing(message),
    closed(), error(error), lock_renewal_failed(job_ids), locks_renewed(info).

    Raises:
        UnknownWorkerEventError: there is no such event; names the nearest.
    """
    if event not in WORKER_EVENTS:
        raise UnknownWorkerEventError(event, suggestion(event, WORKER_EVENTS), sorted(WORKER_EVENTS))

    def mark(method: F) -> F:
        setattr(method, WORKER_EVENT, (*getattr(method, WORKER_EVENT, ()), event))
        return method

    return mark
