"""One field of an expression: its text, and the values that stand for it.

Accepts what cron-parser accepts, its leniencies included (`1-5-9` is `1-5`, `1*` in minutes is `10-59`): an expression
that runs on a Node worker must not fail on a Python one. Values given twice (`1,1-3`) are refused, as there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bullworks.cron_expression.errors import RefusedError
from bullworks.cron_expression.hashing import Draw, pick, pick_stepped

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# One table for both fields, as in cron-parser: `mon` as a month is 1.
_NAMES: Final = {name: day for day, name in enumerate(_WEEKDAYS)} | {name: n for n, name in enumerate(_MONTHS, 1)}

# No field has as many: a list that comes to more repeats itself, and is not read to its end.
_MAX_VALUES = 256

_NAME = re.compile(r"[a-zA-Z]{3}")
_WILDCARD = re.compile(r"[*?]")
_HASH = re.compile(r"H(?:\(([0-9]+)-([0-9]+)\))?(?:/([0-9]+))?")
_LEADING_DIGITS = re.compile(r"[0-9]+")
_LAST = re.compile(r"[0-9]{0,2}L")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an expression: its allowed values, and its name in errors."""

    name: str
    low: int
    high: int
    chars: str = "?*,-/0123456789H"
    has_names: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a field's text means.

    Attributes:
        numbers: the values, growing; Sunday is 0.
        lasts: the `L` items as written: `L` or `5L`.
        is_any: the text is a bare `*` or `?`; a field that spells all values out is not.
    """

    numbers: tuple[int, ...]
    lasts: tuple[str, ...]
    is_any: bool


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY_OF_MONTH = Field("day of month", 1, 31, chars=SECOND.chars + "L")
MONTH = Field("month", 1, 12, has_names=True)
DAY_OF_WEEK = Field("day of week", 0, 7, chars=SECOND.chars + "L", has_names=True)


def parse_field(field: Field, text: str, draw: Draw, *, counted_to: int) -> Values:
    """Parse the text of one field.

    Args:
        counted_to: values above it may be named twice, as cron-parser allows the 31st in a month that has none.

    Raises:
        RefusedError: cron-parser would not take it.
    """
    # Drawn whether needed or not, so that the seed gives each field the number it has in Node.
    drawn = draw()
    plain = _NAME.sub(_number_of, text) if field.has_names else text
    unknown = set(_HASH.sub("", plain)) - set(field.chars)
    if unknown or not plain:
        raise RefusedError(f"cannot read {text!r}", f"It may hold {_readable(field)}")
    plain = _WILDCARD.sub(f"{field.low}-{field.high}", plain)
    plain = _HASH.sub(lambda match: _hashed(field, match, drawn), plain)
    items: list[int | str] = []
    for item in plain.split(","):
        items.extend(_parse_item(field, item))
        if len(items) > _MAX_VALUES:
            raise RefusedError(f"more than {_MAX_VALUES} values", "Name each value once")
    counted = [item for item in items if isinstance(item, str) or item <= counted_to] or items
    if len(set(counted)) < len(counted):
        raise RefusedError(f"{text!r} names a value twice", "Name each value once")
    numbers = {number % 7 if field is DAY_OF_WEEK else number for number in items if isinstance(number, int)}
    return Values(
        numbers=tuple(sorted(numbers)),
        lasts=tuple(item for item in items if isinstance(item, str)),
        is_any=text in {"*", "?"},
    )


def _parse_item(field: Field, item: str) -> list[int | str]:
    """One item of a list: a number, a range, a range with a step, or an `L`."""
    base, *steps = item.split("/")
    if len(steps) > 1:
        raise RefusedError(f"{item!r} has two steps", "Write one step, as in */5")
    if not steps and "-" not in base:
        return [_parse_single(field, base)]
    step = _leading_int(steps[0]) if steps else 1
    if not step:
        raise RefusedError(f"{item!r} has no step above 0", "Write a step of 1 or more, as in */5")
    low_text, high_text = base.split("-")[:2] if "-" in base else (base, str(field.high))
    low, high = _leading_int(low_text), _leading_int(high_text)
    if low is None or high is None:
        raise RefusedError(f"{item!r} is not a range", "Write two numbers, as in 1-5")
    if not field.low <= low <= high <= field.high:
        raise RefusedError(
            f"{low}-{high} is not a range within {field.low}-{field.high}", "Write the lower bound first, as in 1-5"
        )
    values: list[int | str] = list(range(low, high + 1, step))
    # Sunday as 7 is Sunday as 0 too; both are kept, so that another Sunday in the list is found to be a repetition.
    if field is DAY_OF_WEEK and values[-1] == 7:
        values.extend([] if low == 0 else [0])
    return values


def _parse_single(field: Field, text: str) -> int | str:
    if "L" in text:
        if not _LAST.fullmatch(text) or (field is DAY_OF_WEEK and text == "L"):
            raise RefusedError(f"cannot read {text!r}", "The last Friday is 5L; the last day is L, as day of month")
        return text
    if not text.isdecimal():
        raise RefusedError("an item of the list is empty", "Write one value between two commas")
    value = int(text)
    if not field.low <= value <= field.high:
        raise RefusedError(f"{value} is not within {field.low}-{field.high}")
    return value % 7 if field is DAY_OF_WEEK else value


def _number_of(match: re.Match[str]) -> str:
    name = match.group()
    number = _NAMES.get(name.lower())
    if number is None:
        raise RefusedError(f"{name!r} is not a month or weekday", "Write three letters, as in MON or JAN")
    return str(number)


def _hashed(field: Field, match: re.Match[str], drawn: float) -> str:
    """What an `H`, `H(low-high)`, `H/step` or `H(low-high)/step` comes to."""
    low_text, high_text, step_text = match.groups()
    low = field.low if low_text is None else max(int(low_text), field.low)
    high = field.high if high_text is None else min(int(high_text), field.high)
    if low > high:
        raise RefusedError(f"{match.group()!r} leaves no value within {field.low}-{field.high}")
    if step_text is None:
        return str(pick(drawn, low, high))
    step = int(step_text)
    if step == 0:
        raise RefusedError(f"{match.group()!r} has no step above 0", "Write a step of 1 or more, as in H/5")
    return ",".join(map(str, pick_stepped(drawn, low, high, step)))


def _leading_int(text: str) -> int | None:
    match = _LEADING_DIGITS.match(text)
    return int(match.group()) if match else None


def _readable(field: Field) -> str:
    names = ", names of three letters" if field.has_names else ""
    return f"numbers {field.low}-{field.high}{names} and {' '.join(char for char in field.chars if not char.isdigit())}"
