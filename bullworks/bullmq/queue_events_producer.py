"""QueueEventsProducer: tells all who listen to a queue of something of one's own."""

import math
from collections.abc import Mapping

from bullworks.bullmq.connecting import Connection, lease
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.wire.event_codec import EVENT
from bullworks.closing import Closing

EventValue = str | int | float | bool | None
"""What a field of an event may be; listeners get a string."""

# What QueueEvents emits about itself by these names must not be mistaken for an event.
_RESERVED = frozenset({"error", "gap"})


class QueueEventsProducer(Closing):
    """Publishes custom events into a queue's stream. Opens no socket until the first.

    Args:
        queue_name: as the queue's.
        connection: a URL, a redis.asyncio client, or a connection to share.
        prefix: as the queue's.

    Raises:
        InvalidOptionError: a bad name or prefix.
        BadUrlError: a bad URL.
    """

    def __init__(self, queue_name: str, *, connection: Connection, prefix: str = "bull") -> None:
        self.queue_name = queue_name
        self.keys = checked_keys(prefix, queue_name)
        self._lease = lease(connection, self.keys)

    def __repr__(self) -> str:
        return f"<QueueEventsProducer of queue {self.queue_name!r} at {self._lease.connection.endpoint.describe()}>"

    async def publish_event(self, event: Mapping[str, EventValue], max_events: int = 1_000) -> str:
        """Publish `{"event_name": "painted", "color": "red"}`; listeners receive `painted` with `{"color": "red"}`.

        Node's listeners get it too, and ours hear what Node's producer publishes, by the names used there.

        Args:
            event: `event_name`, and fields that are strings, numbers or bools, which arrive as strings; None arrives
                empty. A dict or list is refused: encode it as JSON.
            max_events: the stream is trimmed to about so many, BullMQ's own events included, so a small number may
                take events away from those who have not read them yet.

        Returns:
            The event's id.

        Raises:
            InvalidOptionError: no name, a reserved one, or a field that cannot be stored.
            ServerError, ConnectionLostError, ConnectError: as Queue.add.
        """
        checks.whole("max_events", max_events)
        name = checks.text("event_name", event.get("event_name"))
        if name in _RESERVED:
            raise InvalidOptionError(
                "event_name", f"{name} is an event that QueueEvents emits itself; choose another name"
            )
        fields: list[str] = []
        for field, value in event.items():
            if field != "event_name":
                fields += (_check_field(field), _to_text(field, value))
        stream = self.keys.of("events")
        event_id: bytes = await self._lease.connection.execute(
            "XADD", stream, "MAXLEN", "~", max_events, "*", EVENT, name, *fields
        )
        return event_id.decode()

    async def close(self) -> None:
        """Close the producer's own connection; a shared one stays open. Closing twice is fine."""
        await self._lease.end()


def _check_field(field: object) -> str:
    if not isinstance(field, str) or not field or not checks.is_utf8(field) or field == EVENT.decode():
        raise InvalidOptionError("event", f"cannot have a field {field!r}")
    return field


def _to_text(field: str, value: object) -> str:
    """The text that npm bullmq stores for such a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and checks.is_utf8(value):
        return value
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    raise InvalidOptionError(f"event field {field}", f"must be a string, number or bool, not {type(value).__name__}")
