"""The queue events of one process: one QueueEvents for each queue, and all its listeners on it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from bullworks.bullmq import InvalidOptionError, Queue, QueueEvents
from bullworks.bullmq.events.event_id import checked_id
from bullworks.core import methods_of
from bullworks.redis import RedisError
from bullworks.workers.events_host import QueueEventsHost, bind_events
from bullworks.workers.explorer import FoundListener
from bullworks.workers.queue_event import QUEUE_EVENT
from bullworks.workers.together import together

log = logging.getLogger(__name__)

# What the last jobs did is heard within a trip or two; with Redis away, the end does not wait for it.
_CATCH_UP_S = 2.0


class Listening:
    """Starts and closes the QueueEvents of the application's listeners.

    Listeners that begin at one place in one queue share a QueueEvents, and with it a connection.
    """

    def __init__(self) -> None:
        self._events: dict[tuple[str, str, int], QueueEvents] = {}
        self._queues: dict[str, Queue[Any]] = {}

    async def start(self, listeners: Sequence[FoundListener], queues: dict[str, Queue[Any] | None]) -> None:
        """Start listening to queues. A queue that a test replaced has no events.

        Raises:
            InvalidOptionError: a host's `load_last_event_id` gave no event's id.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        for listener in listeners:
            queue = queues[listener.spec.queue]
            if listener.host is None or queue is None:
                continue
            spec = listener.spec
            place = (spec.queue, await _begin_behind(listener.host, listener), spec.blocking_ms)
            self._queues[spec.queue] = queue
            if place not in self._events:
                self._events[place] = QueueEvents(
                    spec.queue,
                    connection=queue.connection.endpoint,
                    prefix=queue.keys.prefix,
                    last_event_id=place[1],
                    blocking_timeout=spec.blocking_ms,
                )
            events = self._events[place]
            for method in methods_of(listener.host, QUEUE_EVENT):
                for event, is_custom in method.metadata:
                    (events.on_custom if is_custom else events.on)(event, method.method)
            bind_events(listener.host, events)
        await together("queue events did not start", [events.start() for events in self._events.values()])

    async def close(self) -> None:
        """Deliver the events so far and stop; running callbacks may finish."""
        events, self._events = list(self._events.values()), {}
        await together("queue events did not close", [self._close(each) for each in events])

    async def _close(self, events: QueueEvents) -> None:
        try:
            async with asyncio.timeout(_CATCH_UP_S):
                await events.catch_up(self._queues[events.queue_name].connection)
        except (TimeoutError, RedisError) as error:
            log.warning("queue %s: its last events may not have been delivered: %r", events.queue_name, error)
        await events.close()


async def _begin_behind(host: QueueEventsHost, listener: FoundListener) -> str:
    loaded = await host.load_last_event_id()
    if loaded is None:
        return listener.spec.last_event_id
    try:
        checked_id(loaded, "last_event_id")
    except InvalidOptionError as error:
        error.add_note(f"it came from load_last_event_id() of {listener.path}")
        raise
    return loaded
