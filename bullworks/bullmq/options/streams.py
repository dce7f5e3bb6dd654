"""The `streams` option of a Queue: how much of its events is kept."""

from typing import Any, TypedDict

from bullworks.bullmq.errors import InvalidOptionError


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
    options = _checked(streams, "streams", {"events"})
    if "events" not in options:
        return None
    events = _checked(options["events"], "streams.events", {"max_len"})
    max_len = events.get("max_len")
    if isinstance(max_len, bool) or not isinstance(max_len, int) or not 0 <= max_len < 2**53:
        raise InvalidOptionError("streams.events.max_len", f"must be a whole number, at least 0, not {max_len!r}")
    return max_len


def _checked(options: object, name: str, known: set[str]) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise InvalidOptionError(name, f"must be a dict, not {options!r}")
    for option in options:
        if option not in known:
            raise InvalidOptionError.unknown(str(option), known)
    return options
