"""An entry of a queue's event stream -> its name and arguments in Python: where the stream's wire names stand.

Source: the event table of the layout, checked against what npm bullmq 6.7 writes and what its QueueEvents makes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq.errors import MalformedEventError
from bullworks.bullmq.wire import payload

EVENT = b"event"
JOB_ID = b"jobId"

RETURN_VALUE = b"returnvalue"
FAILED_REASON = b"failedReason"

COMPLETED = b"completed"
FAILED = b"failed"
REMOVED = b"removed"
CLEANED = b"cleaned"

_WIRE_NAMES = {
    COMPLETED: "completed",
    FAILED: "failed",
    REMOVED: "removed",
    CLEANED: "cleaned",
    b"added": "added",
    b"waiting": "waiting",
    b"active": "active",
    b"progress": "progress",
    b"delayed": "delayed",
    b"stalled": "stalled",
    b"duplicated": "duplicated",
    b"deduplicated": "deduplicated",
    b"drained": "drained",
    b"paused": "paused",
    b"resumed": "resumed",
    b"retries-exhausted": "retries_exhausted",
    b"waiting-children": "waiting_children",
}
STREAM_EVENTS = frozenset(_WIRE_NAMES.values())
"""BullMQ's own events of a queue. Every other name in the stream is a custom event."""

_WIRE_FIELDS = {
    JOB_ID: "job_id",
    FAILED_REASON: "failed_reason",
    b"attemptsMade": "attempts_made",
    b"deduplicationId": "deduplication_id",
    b"deduplicatedJobId": "deduplicated_job_id",
}


def _number(stored: bytes) -> int | float:
    return int(stored) if stored.isdigit() else float(stored)


_DECODERS: dict[tuple[bytes, bytes], Callable[[bytes], Any]] = {
    (COMPLETED, RETURN_VALUE): payload.decode,
    (b"progress", b"data"): payload.decode,
    (b"delayed", b"delay"): _number,
    (CLEANED, b"count"): _number,
    (b"retries-exhausted", b"attemptsMade"): _number,
}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as stored in Redis."""

    id: bytes
    wire_name: bytes
    fields: dict[bytes, bytes]

    @property
    def name(self) -> str | None:
        """BullMQ's name of the event in snake_case; None for a custom event."""
        return _WIRE_NAMES.get(self.wire_name)

    @property
    def custom_name(self) -> str:
        """The event's name as stored in Redis."""
        return _text(self.wire_name)

    @property
    def job_id(self) -> str | None:
        """The id of the job that the event concerns, if any."""
        stored = self.fields.get(JOB_ID)
        return None if stored is None else _text(stored)

    def args(self) -> dict[str, Any]:
        """The event's arguments: BullMQ's own in snake_case with decoded values, a custom event's as stored.

        Raises:
            MalformedEventError: a field is not what BullMQ writes there.
        """
        if self.wire_name not in _WIRE_NAMES:
            return {_text(name): _text(value) for name, value in self.fields.items()}
        return {_WIRE_FIELDS.get(name) or _text(name): self._value(name, value) for name, value in self.fields.items()}

    def _value(self, name: bytes, value: bytes) -> Any:
        decode = _DECODERS.get((self.wire_name, name), _text)
        try:
            return decode(value)
        except ValueError as error:
            problem = f"{_text(name)} of {_text(self.wire_name)} cannot be read: {error}"
            raise MalformedEventError(_text(self.id), problem) from None


def read_entry(entry: Any) -> StreamEvent:
    """Parse one entry of an XREAD reply.

    Raises:
        MalformedEventError: it is not an event: it has no name.
    """
    event_id, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=False)) if flat else {}
    name = fields.pop(EVENT, None)
    if not name:
        raise MalformedEventError(_text(event_id), "it has no name")
    return StreamEvent(event_id, name, fields)


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")
