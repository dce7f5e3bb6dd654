"""QueueEventsHost: the class that listeners to a queue's events inherit."""

from bullworks.bullmq import QueueEvents
from bullworks.workers.errors import NoQueueEventsError


class QueueEventsHost:
    """Receives the events of one queue's jobs, on any worker; `@queue_events_listener("name")` names the queue."""

    _queue_events: QueueEvents | None = None

    async def load_last_event_id(self) -> str | None:
        """Return the id of the last processed event, to resume after it, from wherever you store it.

        Called once, when the application starts. None: as `@queue_events_listener` says. Override it to miss nothing
        while no process listens; the queue keeps the last 10,000 events or so.
        """
        return None

    @property
    def queue_events(self) -> QueueEvents:
        """The QueueEvents behind this host; its `last_event_id` is the one to store.

        Raises:
            NoQueueEventsError: before the application has started.
        """
        if self._queue_events is None:
            raise NoQueueEventsError(type(self).__name__)
        return self._queue_events


def bind_events(host: QueueEventsHost, events: QueueEvents) -> None:
    """Give a host its QueueEvents."""
    host._queue_events = events  # noqa: SLF001 - no method of it, so that users' classes cannot clash with one
