"""`@on_queue_event`: methods that receive a queue's events, in the whole fleet."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from bullworks.bullmq.queue_events import QUEUE_EVENTS
from bullworks.suggestion import suggestion
from bullworks.workers.errors import UnknownQueueEventError

# What the methods may take, for type checkers: the object they belong to, then what the event brings, or less of it.
_Alone = Callable[[Any], object]
F = TypeVar("F", bound=Callable[..., Any])
Told = TypeVar(
    "Told",
    bound=Callable[[Any, dict[str, Any], str], object] | Callable[[Any, dict[str, Any]], object] | _Alone,
)
Errors = TypeVar("Errors", bound=Callable[[Any, BaseException], object] | _Alone)
Custom = TypeVar("Custom", bound=Callable[[Any, Any, str], object] | Callable[[Any, Any], object] | _Alone)

QueueEvent = Literal[
    "active", "added", "cleaned", "completed", "deduplicated", "delayed", "drained", "duplicated", "failed", "gap",
    "paused", "progress", "removed", "resumed", "retries_exhausted", "stalled", "waiting", "waiting_children",
]  # fmt: skip
"""Events of a queue that bring a dict; `QUEUE_EVENTS` says what is in it."""

QUEUE_EVENT = "__queue_events__"


@overload
def on_queue_event(event: QueueEvent) -> Callable[[Told], Told]: ...
@overload
def on_queue_event(event: Literal["error"]) -> Callable[[Errors], Errors]: ...
@overload
def on_queue_event(event: str, *, custom: Literal[True]) -> Callable[[Custom], Custom]: ...
def on_queue_event(event: str, *, custom: bool = False) -> Callable[[F], F]:
    """Call the method, of a `QueueEventsHost`, on an event of its queue; may be applied several times.

    The method gets (args, event_id), args a dict, and may leave out arguments at the end. It may be sync or async;
    one that raises is logged and harms nothing. Events and args: see `bullworks.bullmq.queue_events.QUEUE_EVENTS`.

    Args:
        event: its name, as in "completed".
        custom: it is one of your own, that a QueueEventsProducer publishes.

    Raises:
        UnknownQueueEventError: there is no such event; names the nearest.
    """
    if not custom and event not in QUEUE_EVENTS:
        near = suggestion(str(event).replace("-", "_"), QUEUE_EVENTS)
        raise UnknownQueueEventError(event, near, sorted(QUEUE_EVENTS))

    def mark(method: F) -> F:
        setattr(method, QUEUE_EVENT, (*getattr(method, QUEUE_EVENT, ()), (event, custom)))
        return method

    return mark
