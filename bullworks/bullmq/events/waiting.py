"""JobWaits: all waits for jobs to finish, notified by one reader of the queue's events.

Nobody polls: an event finds its waiters by their job's id. A waiter looks at the job itself only where events cannot
tell: once after it began to listen, since the job may have finished before; after events were missed; when jobs were
cleaned away; and every 30 s, since draining and obliterating a queue tell of no job at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import (
    EventsClosedError,
    InvalidOptionError,
    JobFailedError,
    JobNotFoundError,
    JobWaitTimeoutError,
)
from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.wire import event_codec, payload
from bullworks.bullmq.wire.event_codec import StreamEvent
from bullworks.redis import ConnectionLostError, ServerError

# Only for jobs that vanish without an event; 1,000 waiters cost 33 small scripts a second.
LOOK_EVERY_S = 30.0
# The connection for commands may come back a little later than the reader's own.
_LOOKS = 3
_LOOK_PAUSE_S = 0.25

_TELLING_FIELD = {
    event_codec.COMPLETED: event_codec.RETURN_VALUE,
    event_codec.FAILED: event_codec.FAILED_REASON,
    event_codec.REMOVED: b"",
}


@dataclass(frozen=True, slots=True)
class JobEnding:
    """How a job ended: its return value as JSON, or its failure reason."""

    kind: Literal["completed", "failed", "removed"]
    value: bytes


@dataclass(frozen=True, slots=True)
class EndingSnapshot:
    """A job's state at one moment, and the newest event at that time.

    Attributes:
        ending: None while it is still to finish.
    """

    ending: JobEnding | None
    newest: EventId


Look = Callable[[str], Awaitable[EndingSnapshot]]


class JobWaits:
    """The pending waits for jobs' results: the event reader feeds it, waiters await `ending`."""

    def __init__(self, queue_name: str) -> None:
        self._queue_name = queue_name
        self._waiters: dict[bytes, list[_Waiter]] = {}
        self._reached = BEFORE_ALL
        self._barriers: list[tuple[EventId, asyncio.Event]] = []
        self._looked_at_s = 0.0
        self._is_closed = False

    def __len__(self) -> int:
        return sum(len(waiters) for waiters in self._waiters.values())

    async def ending(self, job_id: str, look: Look) -> JobEnding:
        """Wait for a job to end; the reader must have started.

        Args:
            look: reads what the job is now.

        Raises:
            EventsClosedError: the reader was closed.
            ServerError, ConnectionLostError: what `look` raised, again and again.
        """
        waiter = _Waiter()
        waiters = self._waiters.setdefault(job_id.encode(), [])
        waiters.append(waiter)
        try:
            return await self._follow(job_id, waiter, look)
        finally:
            waiters.remove(waiter)
            if not waiters:
                self._waiters.pop(job_id.encode(), None)

    def heard(self, event: StreamEvent) -> None:
        """Process the next event of the stream."""
        if not self._waiters:
            return
        field = _TELLING_FIELD.get(event.wire_name)
        if field is None:
            if event.wire_name == event_codec.CLEANED:
                self.look_again()  # it does not tell which jobs
            return
        waiters = self._waiters.get(event.fields.get(event_codec.JOB_ID, b""))
        if waiters:
            ending = _ending(event.wire_name, event.fields.get(field, b""))
            for waiter in waiters:
                waiter.hear(EventId.of(event.id), ending)

    def reached(self, position: EventId, now_s: float) -> None:
        """Note that all events up to `position` were processed."""
        self._reached = position
        for newest, passed in self._barriers:
            if newest <= position:
                passed.set()
        if now_s - self._looked_at_s > LOOK_EVERY_S:
            self._looked_at_s = now_s
            self.look_again()

    def look_again(self) -> None:
        """Have every waiter read its job again, because events may have been missed."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.look_again()

    def close(self) -> None:
        """Fail every wait, because no further events will come."""
        self._is_closed = True
        self.look_again()
        for _, passed in self._barriers:
            passed.set()

    async def until_reached(self, position: EventId) -> None:
        """Wait until all events up to `position` were processed, or the reader is closed."""
        if self._reached >= position or self._is_closed:
            return
        barrier = (position, asyncio.Event())
        self._barriers.append(barrier)
        try:
            await barrier[1].wait()
        finally:
            self._barriers.remove(barrier)

    async def _follow(self, job_id: str, waiter: "_Waiter", look: Look) -> JobEnding:
        while True:
            waiter.must_look = False
            sighting = await self._look(job_id, look)
            if sighting.ending is None:
                ending = await waiter.ending_after(sighting.newest)
                if ending is not None:
                    return ending
            elif sighting.ending.kind != "removed":
                return sighting.ending
            else:
                # It may have finished and been removed at once: then an event that tells is under way.
                await self.until_reached(sighting.newest)
                return waiter.last_ending() or sighting.ending

    async def _look(self, job_id: str, look: Look) -> EndingSnapshot:
        for tries in range(_LOOKS):
            if self._is_closed:
                raise EventsClosedError(self._queue_name, job_id)
            try:
                return await look(job_id)
            except (ConnectionLostError, ServerError) as error:
                if tries == _LOOKS - 1 or not _may_pass(error):
                    raise
            await asyncio.sleep(_LOOK_PAUSE_S)
        raise AssertionError("the last look returns or raises")


class _Waiter:
    """One wait, and what it has heard."""

    def __init__(self) -> None:
        self._heard: list[tuple[EventId, JobEnding]] = []
        self._since = BEFORE_ALL
        self._changed = asyncio.Event()
        self.must_look = False

    def hear(self, event_id: EventId, ending: JobEnding) -> None:
        if event_id > self._since:
            self._heard.append((event_id, ending))
            self._changed.set()

    def look_again(self) -> None:
        self.must_look = True
        self._changed.set()

    def last_ending(self) -> JobEnding | None:
        """The last that tells more than that the job is gone."""
        return next((ending for _, ending in reversed(self._heard) if ending.kind != "removed"), None)

    async def ending_after(self, newest: EventId) -> JobEnding | None:
        """The first ending that comes after `newest`; None once the job must be looked at again.

        The job was unfinished when `newest` was the last event, so what earlier ones tell is of an earlier life of it:
        it was retried since.
        """
        self._since = newest
        self._heard = [(event_id, ending) for event_id, ending in self._heard if event_id > newest]
        while not self._heard and not self.must_look:
            self._changed.clear()
            await self._changed.wait()
        return self._heard[0][1] if self._heard else None


def _ending(wire_name: bytes, value: bytes) -> JobEnding:
    if wire_name == event_codec.COMPLETED:
        return JobEnding("completed", value)
    return JobEnding("failed", value) if wire_name == event_codec.FAILED else JobEnding("removed", b"")


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, ServerError) or error.code in {
        "LOADING",
        "BUSY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
    }


class EventSource(Protocol):
    """The source of a queue's events: a QueueEvents, or the reader that a Queue, FlowProducer or Worker shares."""

    @property
    def keys(self) -> QueueKeys: ...

    @property
    def waits(self) -> JobWaits: ...

    async def start(self) -> None: ...


class WaitedStore(Protocol):
    """Reads how the awaited job ended."""

    keys: QueueKeys
    events: EventSource | None

    async def read_ending(self, job_id: str, /) -> EndingSnapshot: ...


async def wait_until_finished(
    store: WaitedStore, job_id: str, queue_events: EventSource | None, ttl: Duration | None
) -> Any:
    """Wait for a job's result; see Job.wait_until_finished."""
    events = store.events if queue_events is None else queue_events
    if events is None:
        raise InvalidOptionError(
            "queue_events", "is needed: this job has no Queue, FlowProducer or Worker to share events with"
        )
    if events.keys.base != store.keys.base:
        raise InvalidOptionError("queue_events", f"is of queue {events.keys.base}, the job of {store.keys.base}")
    ttl_ms = checked_ttl(ttl)
    limit = asyncio.timeout(None if ttl_ms is None else ttl_ms / 1000)
    try:
        async with limit:
            await events.start()
            ending = await events.waits.ending(job_id, store.read_ending)
    except TimeoutError:
        if ttl_ms is not None and limit.expired():
            raise JobWaitTimeoutError(job_id, store.keys.name, ttl_ms) from None
        raise
    if ending.kind == "removed":
        raise JobNotFoundError(job_id, "wait_until_finished")
    if ending.kind == "failed":
        raise JobFailedError(job_id, ending.value.decode("utf-8", "replace"))
    return payload.decode(ending.value) if ending.value else None


def checked_ttl(ttl: Duration | None) -> int | None:
    """Convert a `ttl` option to milliseconds. Raises InvalidOptionError."""
    return None if ttl is None else checked_ms("ttl", ttl, least=1)
