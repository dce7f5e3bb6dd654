"""The `streams` option of a Queue: how much of its events is kept."""

from typing import TypedDict

from bullworks.bullmq.options import checks


class EventsStreamOptions(TypedDict):
    """Options of a queue's event stream. `max_len`: about how many events are kept, >= 0; BullMQ defaults to 10,000."""

    max_len: int


class StreamsOptions(TypedDict, total=False):
    """Options of a queue's streams, such as `{"events": {"max_len": 1_000}}`."""

    events: EventsStreamOptions


def checked_max_len(streams: object) -> int | None:
    """Validate `streams`; returns its `max_len`, or None if not given.

    Raises:
        InvalidOptionError: an unknown option, or no whole number.
    """
    options = {} if streams is None else checks.parts("streams", streams, {"events"})
    if "events" not in options:
        return None
    events = options["events"]
    max_len = None if events is None else checks.parts("streams.events", events, {"max_len"}).get("max_len")
    return checks.whole("streams.events.max_len", max_len)
