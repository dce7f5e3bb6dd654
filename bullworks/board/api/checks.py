"""What a request may hold, checked as Bull Board checks it: the page knows these errors."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from bullworks.board.errors import invalid

STATUSES = (
    "latest", "active", "waiting", "waiting-children", "prioritized", "completed", "failed", "delayed", "paused",
)  # fmt: skip
MOST_JOBS_A_PAGE = 300


def query_whole(query: Mapping[str, str], name: str, default: int, least: int, most: int = 2**53) -> int:
    """Read a whole number from the query. Raises RefusedError."""
    given = query.get(name)
    number = default if given is None else number_of(given)
    if number is None or number != int(number) or not least <= number <= most:
        raise invalid("INVALID_QUERY_PARAM", field=name)
    return int(number)


def query_clamped(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Read a whole number from the query and move it into its range; the default if it is not a number."""
    number = number_of(query.get(name, ""))
    return default if number is None or number != int(number) else min(max(int(number), least), most)


def query_number(query: Mapping[str, str], name: str, key: str, default: float | None = None) -> float:
    """Read a number from the query. Raises RefusedError."""
    given = query.get(name)
    number = default if given is None else number_of(given)
    if number is None:
        raise invalid(key)
    return number


def choice(value: str | None, choices: tuple[str, ...], key: str, **options: Any) -> str:
    """Require a word to be one of the given choices. Raises RefusedError."""
    if value not in choices:
        raise invalid(key, **options)
    return value


def whole(value: object, least: int, most: int = 2**53) -> int | None:
    """Read a whole number from a JSON value, also one written as 5.0; None if it is not one or out of range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value != int(value):
        return None
    return int(value) if least <= value <= most else None


def number_of(text: str) -> float | None:
    """Parse a text as a finite number; refuses 1_000, which only Python reads as one."""
    try:
        number = float(text.replace("_", "x"))
    except ValueError:
        return None
    return number if isfinite(number) else None
