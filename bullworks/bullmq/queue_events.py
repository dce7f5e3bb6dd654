"""QueueEvents: what happens to a queue's jobs, in all its producers and workers of whatever language."""

import asyncio
from collections.abc import Callable
from typing import Any, Self, TypeVar

from bullworks.bullmq.connecting import Connection, endpoint_of
from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import EventsMissedError, InvalidOptionError, MalformedEventError
from bullworks.bullmq.events.emitter import Emitter
from bullworks.bullmq.events.event_id import checked_id
from bullworks.bullmq.events.reader import DEFAULT_BLOCKING_MS, EventReader, event_bounds
from bullworks.bullmq.events.waiting import JobWaits
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.wire.event_codec import STREAM_EVENTS, StreamEvent
from bullworks.closing import Closing
from bullworks.redis import PipelinedConnection
from bullworks.suggestion import suggestion

C = TypeVar("C", bound=Callable[..., Any])

QUEUE_EVENTS = STREAM_EVENTS | {"error", "gap"}
"""Names and arguments; each callback gets (args, event_id), args a dict:

added job_id, name · waiting job_id[, prev] · delayed job_id, delay: the time in ms · active job_id, prev ·
progress job_id, data · completed job_id, returnvalue, prev · failed job_id, failed_reason, prev ·
retries_exhausted job_id, attempts_made · stalled job_id · duplicated job_id · waiting_children job_id[, prev] ·
removed job_id, prev · deduplicated job_id, deduplication_id, deduplicated_job_id · cleaned count · drained · paused ·
resumed. Source: BullMQ's QueueEventsListener.

Our own: error(exception): reading failed and is tried again, or an entry was no event · gap({last_event_id,
next_event_id}, next_event_id): events in between may have been missed."""

# Callbacks under way when it is closed may end.
_DRAIN_S = 0.5
_ANY = "*"


class QueueEvents(Closing):
    """Listens to the events of a queue: those after `start()` has returned, each once and in order.

    It survives what happens to Redis: after a break it goes on behind the last event it saw. Only what was trimmed off
    the stream meanwhile is lost; that is told as `gap`. Callbacks never stop it; async ones run as tasks, so they may
    overlap.

    Args:
        queue_name: as the queue's.
        connection: a URL, a redis.asyncio client or another connection, whose settings are read; it opens its own.
        prefix: as the queue's.
        last_event_id: resume after this event, for example a `last_event_id` that was stored; "0" is the oldest there
            is, "$" the next that happens.
        blocking_timeout: how long one read waits for an event, ms or a timedelta, >= 1.

    Raises:
        InvalidOptionError: a bad name, prefix, id or timeout.
        BadUrlError, UnusableClientError: a connection that cannot be used.
    """

    def __init__(
        self,
        queue_name: str,
        *,
        connection: Connection,
        prefix: str = "bull",
        last_event_id: str = "$",
        blocking_timeout: Duration = DEFAULT_BLOCKING_MS,
    ) -> None:
        self.queue_name = queue_name
        self.keys = checked_keys(prefix, queue_name)
        blocking_ms = checked_ms("blocking_timeout", blocking_timeout, least=1)
        self._endpoint = endpoint_of(connection, self.keys)
        self._emitter = Emitter(None, queue_name)
        self._reader = EventReader(
            self._endpoint,
            self.keys,
            _CallbackNotifier(self._emitter),
            after=checked_id(last_event_id, "last_event_id"),
            blocking_ms=blocking_ms,
        )
        self._closing: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<QueueEvents of queue {self.queue_name!r} at {self._endpoint.describe()}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    @property
    def last_event_id(self) -> str:
        """The id of the last delivered event; store it to resume from there. "$" before the start."""
        return "$" if self._reader.position is None else str(self._reader.position)

    @property
    def waits(self) -> JobWaits:
        """The pending waits for jobs, on which Job.wait_until_finished relies."""
        return self._reader.waits

    def on(self, event: str, callback: C) -> C:
        """Call `callback` on an event, see `QUEUE_EVENTS`; sync or async, with as many arguments as it takes.

        Args:
            event: a name, as in "completed", or with a job's id, as in "completed:42".

        Raises:
            InvalidOptionError: there is no such event; those of your own are for `on_custom`.
        """
        return self._emitter.on(self._known(event), callback)

    def once(self, event: str, callback: C) -> C:
        """Call `callback` on the next such event only."""
        return self._emitter.once(self._known(event), callback)

    def off(self, event: str, callback: Callable[..., Any]) -> None:
        """Remove a callback of `on` or `once`; an unknown one is ignored."""
        self._emitter.off(event, callback)

    def on_custom(self, event: str, callback: C) -> C:
        """Call `callback` on an event that a QueueEventsProducer published; its args are as published, in strings."""
        return self._emitter.on(_custom(event), callback)

    def off_custom(self, event: str, callback: Callable[..., Any]) -> None:
        """Remove a callback of `on_custom`."""
        self._emitter.off(_custom(event), callback)

    def on_any(self, callback: C) -> C:
        """Call `callback` with (event, args, event_id) on every event of the stream, custom ones included."""
        return self._emitter.on(_ANY, callback)

    def off_any(self, callback: Callable[..., Any]) -> None:
        """Remove a callback of `on_any`."""
        self._emitter.off(_ANY, callback)

    async def start(self) -> None:
        """Connect and start listening: no event after this returns is missed. Repeating does nothing.

        Raises:
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
            EventsClosedError: it was closed.
        """
        await self._reader.start()

    async def run(self) -> None:
        """Start, and return once `close` has ended it. Cancelling it closes it."""
        await self.start()
        try:
            await self._closed.wait()
        except asyncio.CancelledError:
            await self.close()
            raise

    async def catch_up(self, connection: PipelinedConnection) -> None:
        """Wait until all events that have happened so far were delivered.

        Args:
            connection: to ask over; the own one waits for events.

        Raises:
            ConnectionLostError: Redis does not answer.
        """
        await self.waits.until_reached((await event_bounds(connection, self.keys))[1])

    async def close(self) -> None:
        """Stop listening and close the connection. Closing twice, or before starting, is fine."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name=f"events-close:{self.queue_name}")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._reader.close()
        await self._emitter.drain(_DRAIN_S)
        self._closed.set()

    def _known(self, event: str) -> str:
        name, _, job_id = event.partition(":") if isinstance(event, str) else ("", "", "")
        if name not in (STREAM_EVENTS if job_id else QUEUE_EVENTS):
            near = suggestion(name.replace("-", "_"), QUEUE_EVENTS)
            hint = f"did you mean {near}?" if near else f"known: {', '.join(sorted(QUEUE_EVENTS))}."
            raise InvalidOptionError(str(event), f"not a BullMQ event; {hint} Use on_custom for custom events")
        return event


def _custom(event: str) -> str:
    return f"custom:{event}"


class _CallbackNotifier:
    """Passes the reader's events on; decodes one only if it has a listener."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter

    def event(self, event: StreamEvent) -> None:
        name, job_id = event.name, event.job_id
        emitter = self._emitter
        names = (_custom(event.custom_name),) if name is None else (name, f"{name}:{job_id}")
        heard = [name for name in names if emitter.has(name)]
        has_any = emitter.has(_ANY)
        if not heard and not has_any:
            return
        try:
            args = event.args()
        except MalformedEventError as error:
            self.failed(error)
            return
        event_id = event.id.decode()
        for listened in heard:
            emitter.emit(listened, args, event_id, job_id=job_id)
        if has_any:
            emitter.emit(_ANY, name or event.custom_name, args, event_id, job_id=job_id)

    def missed(self, error: EventsMissedError) -> None:
        facts = {"last_event_id": error.last_event_id, "next_event_id": error.next_event_id}
        self._emitter.emit("gap", facts, error.next_event_id)
        self._emitter.emit("error", error)

    def failed(self, error: Exception) -> None:
        self._emitter.emit("error", error)
