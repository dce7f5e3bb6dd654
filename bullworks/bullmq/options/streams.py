"""The `streams` option of a Queue: how much of its events is kept."""

from typing import Any, TypedDict

from bullworks.bullmq.errors import InvalidOptionError


class EventsStreamOptions(TypedDict):
    """`max_len`: about how many events are kept, >= 0; BullMQ's own default is 10,000."""

    max_len: int


class StreamsOptions(TypedDict, total=False):
    """As in `Queue("email", streams={"events": {"max_len": 1_000}}, connection=...)`."""

    events: EventsStreamOptions


def checked_max_len(streams: object) -> int | None:
    """The `max_len` of `streams`, None where none is given.

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
