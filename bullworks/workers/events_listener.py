"""`@queue_events_listener`: which queue's events a class hears, and from where on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bullworks.bullmq import Duration, checked_ms
from bullworks.bullmq.events.event_id import checked_id
from bullworks.bullmq.events.reader import DEFAULT_BLOCKING_MS
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.workers.errors import ListenerClassError
from bullworks.workers.events_host import QueueEventsHost

T = TypeVar("T")

LISTENER = "__queue_events_listener__"


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """The arguments of one `@queue_events_listener`.

    Args:
        queue: the queue's name.
        last_event_id: behind which it begins, unless the host knows better.
        blocking_ms: how long one read waits for an event.
        config_key: over which connection its queue has to be registered; None means any.
    """

    queue: str
    last_event_id: str
    blocking_ms: int
    config_key: str | None = None


def queue_events_listener(
    queue: str,
    *,
    last_event_id: str = "$",
    blocking_timeout: Duration = DEFAULT_BLOCKING_MS,
    config_key: str | None = None,
) -> Callable[[type[T]], type[T]]:
    """Declare a QueueEventsHost class as a listener of a queue, in every process of the application.

    Args:
        queue: the queue's name; some module registers it.
        last_event_id: begin behind this event: "0" with the oldest there is, "$" with the next that happens. A place
            that is stored is given by the host's `load_last_event_id`.
        blocking_timeout: how long one read waits for an event, ms or a timedelta, >= 1.
        config_key: the queue's connection; it is what some `register_queue(..., config_key=)` says.

    Raises:
        InvalidOptionError: the name, the id or the timeout cannot be used.
        ListenerClassError: the class does not inherit QueueEventsHost.
    """
    checked_keys("bull", queue)
    checked_id(last_event_id, "last_event_id")
    blocking_ms = checked_ms("blocking_timeout", blocking_timeout, least=1)
    spec = ListenerSpec(queue, last_event_id, blocking_ms, config_key)

    def mark(cls: type[T]) -> type[T]:
        if not issubclass(cls, QueueEventsHost):
            raise ListenerClassError(cls.__name__, queue)
        setattr(cls, LISTENER, spec)
        return cls

    return mark
