"""A whole expression: its five or six fields, and the lines croniter searches for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bullworks.cron_expression.errors import CronExpressionError, RefusedError
from bullworks.cron_expression.fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    Field,
    Values,
    parse_field,
)
from bullworks.cron_expression.hashing import Draw, draws
from bullworks.suggestion import suggestion

# Case and surrounding blanks count, as in cron-parser.
_PRESETS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
    "@minutely": "0 * * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 0 * * 1-5",
    "@weekends": "0 0 0 * * 0,6",
}
# cron-parser's own limit.
_MAX_CHARS = 1024
# What JavaScript's \s matches; Python's differs.
_BLANK = r"[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+"
# Fields left out stand at the front: `5` is every minute of a Friday, as in cron-parser.
_LEFT_OUT = ("0", "*", "*", "*", "*")
_NTH = re.compile(r"0*([1-5])")
_MOST_DAYS: Final = {month: 30 if month in {4, 6, 9, 11} else 29 if month == 2 else 31 for month in range(1, 13)}


@dataclass(frozen=True, slots=True)
class Pattern:
    """The wall clock times at which an expression runs.

    Attributes:
        lines: expressions in croniter's syntax, seconds first; each is a set of times, the pattern their union.
        hours, months: the hours and months, growing.
        first_in_hour_s: seconds after the full hour of an hour's first run.
    """

    lines: tuple[str, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    first_in_hour_s: int


def parse_pattern(expression: str, hash_seed: str | None) -> Pattern:
    """Read an expression.

    Raises:
        CronExpressionError: cron-parser would not take it, no date can match it, or it is empty.
    """
    texts = _split(expression)
    draw = draws(hash_seed)
    # The month before the day: the order in which a seed's draws are handed out.
    second = _parse(expression, SECOND, texts[0], draw)
    minute = _parse(expression, MINUTE, texts[1], draw)
    hour = _parse(expression, HOUR, texts[2], draw)
    month = _parse(expression, MONTH, texts[4], draw)
    day = _parse(expression, DAY_OF_MONTH, texts[3], draw, months=month.numbers)
    weekday, nth = _parse_weekday(expression, texts[5], draw)
    days = _day_lines(
        [] if day.is_any else _month_days(day, month, has_last="L" in texts[3]),
        [] if weekday.is_any else _week_days(weekday, nth, has_last="L" in texts[5]),
        is_every_day=day.is_any and weekday.is_any,
    )
    if not days:
        raise CronExpressionError(
            expression,
            DAY_OF_MONTH.name,
            f"no month of {_listed(month, MONTH)} has a day {_listed(day, DAY_OF_MONTH)}",
            "The last day of a month is L",
        )
    clock = f"{_listed(minute, MINUTE)} {_listed(hour, HOUR)}"
    months = _listed(month, MONTH)
    return Pattern(
        lines=tuple(f"{_listed(second, SECOND)} {clock} {of_month} {months} {of_week}" for of_month, of_week in days),
        hours=hour.numbers,
        months=month.numbers,
        first_in_hour_s=minute.numbers[0] * 60 + second.numbers[0],
    )


def _split(expression: str) -> list[str]:
    """The six fields' texts."""
    if len(expression) > _MAX_CHARS:
        raise CronExpressionError(expression, None, f"longer than {_MAX_CHARS} characters")
    if expression not in _PRESETS and expression.strip().startswith("@"):
        raise _no_preset(expression)
    texts = re.split(_BLANK, re.sub(f"^{_BLANK}|{_BLANK}$", "", _PRESETS.get(expression, expression)))
    if texts == [""]:
        # cron-parser takes "" for every minute; an empty expression never means that.
        raise CronExpressionError(expression, None, "it is empty", "Write five or six fields, as in */5 * * * *")
    if len(texts) > 6:
        raise CronExpressionError(expression, None, f"{len(texts)} fields", "Write five, or six with the seconds first")
    return [*_LEFT_OUT[: 6 - len(texts)], *texts]


def _no_preset(expression: str) -> CronExpressionError:
    wanted = expression.strip()
    if wanted in _PRESETS:
        return CronExpressionError(expression, None, "blanks around a preset", f"Write {wanted!r}")
    if wanted.lower() in _PRESETS:
        return CronExpressionError(expression, None, "presets are lower case", f"Did you mean {wanted.lower()!r}?")
    near = suggestion(wanted.lower(), _PRESETS)
    hint = f"Did you mean {near!r}?" if near else f"There are {', '.join(_PRESETS)}"
    return CronExpressionError(expression, None, "there is no such preset", hint)


def _parse(expression: str, field: Field, text: str, draw: Draw, *, months: tuple[int, ...] = ()) -> Values:
    counted_to = _MOST_DAYS[months[0]] if len(months) == 1 else field.high
    try:
        return parse_field(field, text, draw, counted_to=counted_to)
    except RefusedError as refusal:
        raise CronExpressionError(expression, field.name, refusal.reason, refusal.hint) from None


def _parse_weekday(expression: str, text: str, draw: Draw) -> tuple[Values, int | None]:
    """The weekdays, and which of the month (`5#2`: the second Friday)."""
    days, *nths = text.split("#")
    if not nths:
        return _parse(expression, DAY_OF_WEEK, text, draw), None
    nth = _NTH.fullmatch(nths[-1])
    if len(nths) > 1 or nth is None or re.search("[-,/]", text):
        hint = "Write one weekday and which of the month, 1 to 5, as in FRI#2"
        raise CronExpressionError(expression, DAY_OF_WEEK.name, f"cannot read {text!r}", hint)
    # With `#` even a star is a restriction, as in cron-parser: `*#2` is days 8 to 14.
    values = _parse(expression, DAY_OF_WEEK, days, draw)
    return Values(values.numbers, values.lasts, is_any=False), int(nth.group(1))


def _day_lines(of_month: list[str], of_week: list[str], *, is_every_day: bool) -> list[tuple[str, str]]:
    """Pairs of day of month and day of week: a day matches if it matches one pair (cron's "or" rule)."""
    if is_every_day or "*" in of_month or "*" in of_week:
        return [("*", "*")]
    return [(days, "*") for days in of_month] + [("*", weekdays) for weekdays in of_week]


def _month_days(day: Values, month: Values, *, has_last: bool) -> list[str]:
    """Days of month in croniter's syntax, without those that none of the months has."""
    most = max(_MOST_DAYS[number] for number in month.numbers)
    possible = Values(tuple(number for number in day.numbers if number <= most), (), is_any=False)
    return ([_listed(possible, DAY_OF_MONTH)] if possible.numbers else []) + (["L"] if has_last else [])


def _week_days(weekday: Values, nth: int | None, *, has_last: bool) -> list[str]:
    """Weekdays in croniter's syntax, where `L5` is the last Friday."""
    lines = []
    if weekday.numbers and nth is None:
        lines.append(_listed(weekday, DAY_OF_WEEK))
    elif weekday.numbers:
        lines.append(",".join(f"{number}#{nth}" for number in weekday.numbers))
    # Where `L` is in the text, plain numbers beside it are last weekdays too; that shows only with `#`.
    lasts = {int(item[0]) % 7 for item in weekday.lasts} | (set(weekday.numbers) if has_last and nth else set())
    if lasts:
        lines.append(",".join(f"L{number}" for number in sorted(lasts)))
    return lines


def _listed(values: Values, field: Field) -> str:
    """The values as croniter reads them; all of them are a star, which it searches faster."""
    size = 7 if field is DAY_OF_WEEK else field.high - field.low + 1
    return "*" if len(values.numbers) == size else ",".join(map(str, values.numbers))
