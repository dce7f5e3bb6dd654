"""EventReader: follows a queue's event stream, from one event to the next, whatever happens to the connection.

It blocks in XREAD behind the last event it saw, so a break repeats nothing and skips nothing. What it cannot see is
what was trimmed away meanwhile; before each read it asks which events are still there, in the same write.
"""

import asyncio
import logging
from typing import Any, Protocol

from bullworks.bullmq.errors import EventsClosedError, EventsMissedError, MalformedEventError
from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId
from bullworks.bullmq.events.waiting import JobWaits
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.wire.event_codec import StreamEvent, read_entry
from bullworks.redis import (
    ConnectionLostError,
    Endpoint,
    PipelinedConnection,
    RedisError,
    ServerError,
    connection_to,
    retry_pause_s,
)
from bullworks.redis.background import Background
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

EVENT_BOUNDS = load("event_bounds")

DEFAULT_BLOCKING_MS = 10_000
# Telling so many takes some ms, after which the loop's other tasks have their turn.
_EVENTS_A_READ = 500
# Silence is normal while a read blocks; so much more of it is a dead connection.
_REPLY_TIMEOUT_MS = 10_000
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
# A fault that lasts is logged when it begins, and then about once a minute.
_LOG_EVERY = 60


async def event_bounds(connection: PipelinedConnection, keys: QueueKeys) -> tuple[EventId, EventId]:
    """Read the ids of the oldest stored and the newest ever event of a queue's stream."""
    oldest, newest = await connection.run(EVENT_BOUNDS, (keys.base,), [])
    return EventId.of(oldest), EventId.of(newest)


class EventListener(Protocol):
    """Receiver of a reader's events. No method may raise."""

    def event(self, event: StreamEvent) -> None:
        """Receive the next event."""

    def missed(self, error: EventsMissedError) -> None:
        """Note that events before the next one were lost."""

    def failed(self, error: Exception) -> None:
        """Note a failure: reading is retried, and an invalid entry is skipped."""


class EventReader:
    """Reads one queue's events over its own connection. Opens no socket before `start`.

    Args:
        listener: None if only `waits` need the events.
        after: the event behind which to begin; None means the newest there is when it starts.
        blocking_ms: how long a read waits for an event before it asks again.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        keys: QueueKeys,
        listener: EventListener | None = None,
        *,
        after: EventId | None = None,
        blocking_ms: int = DEFAULT_BLOCKING_MS,
    ) -> None:
        self.keys = keys
        self.waits = JobWaits(keys.name)
        self.position = after
        self._listener = listener
        self._blocking_ms = blocking_ms
        self._stream = keys.of("events")
        self._connection = connection_to(
            endpoint,
            key=keys.base,
            client_name=keys.events_client_name(),
            reply_timeout_ms=blocking_ms + _REPLY_TIMEOUT_MS,
        )
        self._starting: asyncio.Task[None] | None = None
        self._following = Background(f"events:{keys.name}", self._follow)
        self._is_closed = False
        self._failures = 0
        self._logged = ""

    async def start(self) -> None:
        """Connect and fix the starting position: events after this returns are delivered. Repeating is fine.

        Raises:
            ConnectError: Redis cannot be reached or refuses this client; the next call tries again.
            EventsClosedError: it was closed.
        """
        if self._is_closed:
            raise EventsClosedError(self.keys.name)
        if self._following.is_running:
            return
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name=f"events-start:{self.keys.name}")
            self._starting.add_done_callback(self._started)
        starting = self._starting
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():  # by `close`: the waiter here was not cancelled
                raise EventsClosedError(self.keys.name) from None
            raise

    async def close(self) -> None:
        """Stop reading and close the connection; pending waits fail. Closing twice, or before starting, is fine."""
        self._is_closed = True
        if self._starting is not None:
            await cancel_and_wait(self._starting)
        await self._following.close()
        await self._connection.close()
        self.waits.close()

    async def _start(self) -> None:
        await self._connection.connect()
        if self.position is None:
            _, self.position = await self._bounds()
        self.waits.reached(self.position, asyncio.get_running_loop().time())
        self._following.start()

    def _started(self, starting: asyncio.Task[None]) -> None:
        self._starting = None
        if not starting.cancelled():
            starting.exception()  # its awaiters have the error; without any, it must not be reported as never retrieved

    async def _follow(self) -> None:
        position = self.position or BEFORE_ALL
        time = asyncio.get_running_loop().time
        is_sure = False
        while True:
            try:
                if not is_sure:
                    position = await self._find_place(position)
                    is_sure = True
                entries = await self._read(position)
                # After a silent read too: the stream may have been restarted by a clock that is behind.
                is_sure = bool(entries)
                self._failures = 0
                for entry in entries:
                    position = EventId.of(entry[0])
                    self._tell(entry)
                self.position = position
                self.waits.reached(position, time())
            except Exception as error:  # noqa: BLE001 - otherwise events would end unnoticed
                is_sure = False  # the server may be another, or have lost what it did not write down
                await self._pause(error)

    async def _find_place(self, position: EventId) -> EventId:
        """Where to continue over a new connection: where it stopped, unless the server knows of no events as late."""
        await self._connection.connect()
        _, newest = await self._bounds()
        if BEFORE_ALL < newest < position:
            # It was restored from an older state, or a replica took over that lacked the last events. New ones may get
            # ids below those already seen, if its clock is behind.
            self._missed(position, newest)
            return newest
        return position

    async def _read(self, position: EventId) -> list[Any]:
        """The next entries, or none within the blocking time."""
        command = ("XREAD", "COUNT", _EVENTS_A_READ, "BLOCK", self._blocking_ms, "STREAMS", self._stream, str(position))
        bounds_reply = self._connection.send("EVALSHA", EVENT_BOUNDS.sha, 1, self.keys.base)
        entries_reply = self._connection.send(*command)
        replies = await asyncio.gather(bounds_reply, entries_reply, return_exceptions=True)
        bounds: Any = replies[0]
        reply: Any = replies[1]
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(bounds, ServerError) and bounds.code == "NOSCRIPT":
            oldest, _ = await self._bounds()
        elif isinstance(bounds, BaseException):
            raise bounds
        else:
            oldest = EventId.of(bounds[0])
        # A reader that has seen nothing has lost nothing.
        if BEFORE_ALL < position < oldest:
            self._missed(position, oldest)
        return [] if reply is None else list(reply[0][1])

    async def _bounds(self) -> tuple[EventId, EventId]:
        return await event_bounds(self._connection, self.keys)

    def _tell(self, entry: Any) -> None:
        try:
            event = read_entry(entry)
        except MalformedEventError as error:
            self._malformed(error)
            return
        self.waits.heard(event)
        if self._listener is not None:
            self._listener.event(event)

    def _malformed(self, error: MalformedEventError) -> None:
        log.warning("queue %s: %s", self.keys.name, error, extra={"queue": self.keys.name})
        if self._listener is not None:
            self._listener.failed(error)

    def _missed(self, position: EventId, next_id: EventId) -> None:
        error = EventsMissedError(self.keys.name, str(position), str(next_id))
        log.warning("%s", error, extra={"queue": self.keys.name})
        self.waits.look_again()
        if self._listener is not None:
            self._listener.missed(error)

    async def _pause(self, error: Exception) -> None:
        if self._failures == 0 and isinstance(error, ServerError) and self._connection.follows(error):
            self._failures = 1
            return  # the stream is on another server now, to which the connection goes along
        if self._failures % _LOG_EVERY == 0 or str(error) != self._logged:
            self._logged = str(error)
            log.warning(
                "queue %s: reading its events: %s",
                self.keys.name,
                error,
                exc_info=None if isinstance(error, RedisError) else error,
                extra={"queue": self.keys.name},
            )
        if self._listener is not None:
            self._listener.failed(error)
        self._failures += 1
        if isinstance(error, ConnectionLostError) and self._failures == 1:
            return  # reconnecting has its own pace
        await asyncio.sleep(retry_pause_s(self._failures + 1, _FIRST_PAUSE_S, _LONGEST_PAUSE_S))
