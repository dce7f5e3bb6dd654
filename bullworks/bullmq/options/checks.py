"""Checks of what a user gave as an option, one function for each kind of value; a time is `durations.checked_ms`.

Each returns the value with its type known, and raises an InvalidOptionError that names the option and what is expected.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError

LARGEST_WHOLE = 2**53
"""The largest number that JavaScript and Lua count with exactly."""


def whole(option: str, value: object, least: int = 0, most: int = LARGEST_WHOLE) -> int:
    """A whole number, `least` .. `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        bounds = f" >= {least}" if most == LARGEST_WHOLE else f", {least} .. {most}"
        raise InvalidOptionError(option, f"must be a whole number{bounds}, not {value!r}")
    return value


def flag(option: str, value: object) -> bool:
    """True or False, and no number in their place."""
    if not isinstance(value, bool):
        raise InvalidOptionError(option, f"must be True or False, not {value!r}")
    return value


def text(option: str, value: object) -> str:
    """A string that is not empty and that Redis can be sent."""
    if not isinstance(value, str) or not value:
        raise InvalidOptionError(option, f"must be a non-empty string, not {value!r}")
    if not is_utf8(value):
        raise InvalidOptionError(option, f"{value!r} cannot be written as UTF-8")
    return value


def is_utf8(value: str) -> bool:
    """Whether Redis can be sent it: a lone surrogate, half of a character, cannot be encoded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def parts(option: str, value: object, known: Collection[str]) -> Mapping[str, Any]:
    """A dict that has no other keys than `known`; one that is missing is up to the caller."""
    if not isinstance(value, Mapping):
        raise InvalidOptionError(option, f"must be a dict of {', '.join(sorted(known))}, not {value!r}")
    for part in value:
        if part not in known:
            raise InvalidOptionError.unknown(f"{option}.{part}", [f"{option}.{name}" for name in known])
    return value
