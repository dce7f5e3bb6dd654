"""JobTopic: what is known of one job that somebody follows; JobListener: one stream of it."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId
from bullworks.bullmq.wire import payload
from bullworks.job_api.snapshot import JobSnapshot

_FINAL = frozenset({"completed", "failed", "removed"})
# Who comes back within so many events of the job misses none; after more it is told how the job is now.
_RECENT = 100
# Of progress and results in events; larger ones are for GET /jobs/{id}, once, and not for each listener.
_MOST_BYTES = 64 * 1024


class JobTopic:
    """The state and progress of one job, and what was told of it lately.

    Attributes:
        position: the last event that is in it.
        is_known: whether it was read from Redis, and no event was missed since.
        users: how many follow it at the moment.
        reading: held while it is read.
        forgetting: under way once nobody does.
    """

    def __init__(self, job_id: str) -> None:
        self.id = job_id
        self.listeners: set[JobListener] = set()
        self.position = BEFORE_ALL
        self.is_known = False
        self.users = 0
        self.reading = asyncio.Lock()
        self.forgetting: asyncio.TimerHandle | None = None
        self.name: str | None = None
        self._state = ""
        self._progress: Any = None
        self._ending: dict[str, Any] = {}
        self._recent: deque[tuple[EventId, str]] = deque(maxlen=_RECENT)
        self._complete_after = BEFORE_ALL
        # What is heard while the job is being read may be newer than what is read.
        self._early: list[Callable[[], None]] = []

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; it may be retried all the same."""
        return self._state in _FINAL

    def saw(self, snapshot: JobSnapshot, *, shows_result: bool) -> None:
        """Take over how the job is."""
        self.is_known = True
        self._recent.clear()
        early, self._early = self._early, []
        self.name, self._state, self._progress = snapshot.name, snapshot.state, snapshot.progress
        ending = ending_of(snapshot.state, snapshot.result, snapshot.failed_reason)
        self._ending = ending if shows_result else {}
        self.position = self._complete_after = snapshot.newest
        for tell in early:
            tell()
        self._notify()

    def heard(self, event_id: EventId, state: str, ending: dict[str, Any]) -> None:
        """Note that the job went into another state.

        Args:
            ending: what is shown of how it ended.
        """
        if not self.is_known:
            self._early.append(partial(self.heard, event_id, state, ending))
            return
        is_late = self._state in {"completed", "failed"} and state == "removed"
        if event_id <= self.position or is_late:
            return
        self._state, self._ending = state, ending
        self._tell(event_id, _state_event(event_id, state, ending))

    def progressed(self, event_id: EventId, progress: Any) -> None:
        """Note the job's progress."""
        if not self.is_known:
            self._early.append(partial(self.progressed, event_id, progress))
        elif event_id > self.position:
            self._progress = progress
            text = _progress_event(progress)
            self._tell(event_id, text and f"id: {event_id}\n{text}")

    def after(self, known: EventId | None) -> str:
        """Write the events after `known`, or the job as it is; None means that the listener knows nothing."""
        if known is not None and self._complete_after <= known <= self.position:
            return "".join(text for event_id, text in self._recent if event_id > known)
        # The id comes with the last of them: who is cut off in between gets all again.
        progress = "" if self._progress is None else _progress_event(self._progress)
        return progress + _state_event(self.position, self._state, self._ending)

    def _tell(self, event_id: EventId, text: str) -> None:
        if len(self._recent) == _RECENT:
            self._complete_after = self._recent[0][0]
        self._recent.append((event_id, text))
        self.position = event_id
        self._notify()

    def _notify(self) -> None:
        for listener in self.listeners:
            listener.changed.set()


class JobListener:
    """One stream's place in a topic: an EventFeed.

    Args:
        known: the last event that the client has.
    """

    def __init__(self, topic: JobTopic, known: EventId | None) -> None:
        self.changed = asyncio.Event()
        self._topic = topic
        self._known = known

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, and the client knows it."""
        return self._topic.is_final and self._known == self._topic.position

    def news(self) -> str:
        """Read the events since the last call."""
        text = self._topic.after(self._known) if self._topic.is_known else ""
        if self._topic.is_known:
            self._known = self._topic.position
        return text


def ending_of(state: str, result: Any, failed_reason: str | None) -> dict[str, Any]:
    """Describe how a job ended: its result, or why it failed; an empty dict in other states."""
    if state == "completed":
        return {"result": result}
    return {"failed_reason": failed_reason or ""} if state == "failed" else {}


def _state_event(event_id: EventId, state: str, ending: dict[str, Any]) -> str:
    data = payload.encode({"state": state, **ending})
    if len(data) > _MOST_BYTES:
        data = payload.encode({"state": state})
    return f"id: {event_id}\nevent: state\ndata: {data.decode()}\n\n"


def _progress_event(progress: Any) -> str:
    data = payload.encode(progress)
    return "" if len(data) > _MOST_BYTES else f"event: progress\ndata: {data.decode()}\n\n"
