"""The one rule for time in the public API: an int of milliseconds, as in BullMQ, or a timedelta or datetime."""

from datetime import datetime, timedelta

from bullworks.bullmq.errors import InvalidOptionError

Duration = int | timedelta

Date = int | datetime
"""A point in time: ms since the epoch, or a datetime with a time zone."""

# Some 70 years. As a point in time it is September 2039, where the score of a delayed job, ms * 4096, no longer fits a
# double exactly; BullMQ's layout has that limit.
LONGEST_MS = 2**53 // 4096 - 1

# The last one a datetime can hold.
_LATEST_MS = 253_402_300_799_999


def to_ms(value: object, name: str, *, least: int = 0) -> int:
    """Convert a duration to whole milliseconds.

    Args:
        value: an int of milliseconds, a float with no fraction, or a timedelta; least .. 2^41.
        name: of the option, for the message.

    Raises:
        ValueError: of another type, out of range, or not finite.
    """
    if isinstance(value, timedelta):
        value = round(value.total_seconds() * 1000)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be whole milliseconds or a timedelta, not {value!r}")
    if not least <= value <= LONGEST_MS:
        raise ValueError(f"{name} must be {least} .. {LONGEST_MS} ms, not {value}")
    return value


def checked_ms(option: str, value: object, *, least: int = 0) -> int:
    """Convert a user's duration option to milliseconds. Raises InvalidOptionError."""
    try:
        return to_ms(value, option, least=least)
    except ValueError as error:
        raise InvalidOptionError(option, str(error).removeprefix(f"{option} ")) from None


def date_ms(option: str, value: object) -> int:
    """Convert a user's date option to ms since the epoch, in the years 1970 .. 9999.

    Raises:
        InvalidOptionError: of another type, out of range, or without a time zone.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidOptionError(option, f"{value!r} has no time zone; give it one, as in datetime.now(UTC)")
        value = round(value.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOptionError(option, f"must be ms since the epoch or a datetime, not {value!r}")
    if not 0 <= value <= _LATEST_MS:
        raise InvalidOptionError(option, f"must be in the years 1970 .. 9999, not {value} ms")
    return value
