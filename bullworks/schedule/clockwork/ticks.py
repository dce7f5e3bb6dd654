"""Ticks: at which instants a cron runs."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from bullworks.cron_expression import CronExpressionError, CronSchedule
from bullworks.cron_expression.errors import RefusedError
from bullworks.cron_expression.zone import Zone, find_zone
from bullworks.schedule.decorators.expressions import CronExpression

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a wall shows has no zone
_FEWEST_FIELDS = 5
_DAY_MINUTES = 24 * 60
# As many as `CronSchedule` remembers expressions; crons that share one also share its next instant.
_SHARED = 16_384


class Ticks:
    """The ticks of a cron: an expression, or one date, in a time zone.

    Attributes:
        expression: as messages show it.
        zone: its name; None is the process's own.
    """

    __slots__ = ("_after_ms", "_next_ms", "_schedule", "at_ms", "expression", "zone")

    def __init__(self, expression: str, zone: str | None, schedule: CronSchedule | None, at_ms: int | None) -> None:
        self.expression = expression
        self.zone = zone
        self.at_ms = at_ms
        self._schedule = schedule
        self._after_ms: int | None = None
        self._next_ms: int | None = None

    def __repr__(self) -> str:
        return f"Ticks({self.expression!r}, {self.zone!r})"

    @property
    def pattern(self) -> str:
        """The expression and zone as one text; equal for crons with the same ticks."""
        return f"{self.expression} {self.zone}" if self.zone else self.expression

    def next_ms(self, after_ms: int) -> int | None:
        """Find the first tick after an instant, in ms since 1970; None if there is none."""
        if self._schedule is None:
            return self.at_ms if self.at_ms is not None and self.at_ms > after_ms else None
        # Ticks are at full seconds, so all requests within one second get one answer: thousands of crons may ask.
        second_ms = after_ms // 1000
        if second_ms != self._after_ms:
            self._after_ms, self._next_ms = second_ms, self._schedule.next_ms(after_ms)
        return self._next_ms

    def prev_ms(self, before_ms: int) -> int | None:
        """Find the last tick before an instant, in ms since 1970."""
        if self._schedule is None:
            return self.at_ms if self.at_ms is not None and self.at_ms < before_ms else None
        return self._schedule.prev_ms(before_ms)

    def date(self, instant_ms: int) -> datetime:
        """Convert an instant to a date in the zone."""
        offset_s = find_zone(self.zone).offset_s(instant_ms // 1000)
        zone = timezone(timedelta(seconds=offset_s)) if offset_s else UTC
        return datetime.fromtimestamp(instant_ms / 1000, zone)


def ticks_of(
    expression: str | datetime, *, time_zone: str | None = None, utc_offset: int | None = None, seed: str | None = None
) -> Ticks:
    """Build the ticks of an expression or a date.

    Args:
        time_zone: an IANA name; None means the process's own.
        utc_offset: minutes east of UTC, in place of it.
        seed: what `H` in an expression is drawn from.

    Raises:
        ValueError: there are no such ticks; says why.
    """
    if time_zone is not None and utc_offset is not None:
        raise ValueError("time_zone and utc_offset say the same; give one of them")
    if time_zone is not None and (not isinstance(time_zone, str) or not time_zone):
        raise ValueError(f"time_zone must be an IANA name, as in 'Europe/Paris', not {time_zone!r}")
    zone = time_zone if utc_offset is None else _format_offset(utc_offset)
    if isinstance(expression, datetime):
        return Ticks(expression.isoformat(), zone, None, _instant_ms(expression, zone))
    if not isinstance(expression, str):
        raise ValueError(f"an expression is a str or a datetime, not {expression!r}")
    text = str(expression).strip()
    if text.upper() in CronExpression.__members__:
        raise ValueError(f"{text!r} is the name of an expression: write CronExpression.{text.upper()}")
    if 0 < len(text.split()) < _FEWEST_FIELDS and not text.startswith("@"):
        raise ValueError(f"{len(text.split())} fields; write five, or six with the seconds first")
    if "H" in text:
        return Ticks(text, zone, CronSchedule.parse(text, tz=zone, hash_seed=seed), None)
    return _parse_ticks(text, zone)


@lru_cache(maxsize=_SHARED)
def _parse_ticks(expression: str, zone: str | None) -> Ticks:
    return Ticks(expression, zone, CronSchedule.parse(expression, tz=zone), None)


def _format_offset(utc_offset: object) -> str:
    if isinstance(utc_offset, bool) or not isinstance(utc_offset, int) or abs(utc_offset) >= _DAY_MINUTES:
        raise ValueError(f"utc_offset is in minutes, less than a day, not {utc_offset!r}")
    hours, minutes = divmod(abs(utc_offset), 60)
    return f"UTC{'-' if utc_offset < 0 else '+'}{hours:02d}:{minutes:02d}" if utc_offset else "UTC"


def _instant_ms(date: datetime, zone_name: str | None) -> int:
    zone = _zone(date, zone_name)
    if date.tzinfo is not None:
        return round(date.timestamp() * 1000)
    wall_ms = round((date - _EPOCH) / timedelta(milliseconds=1))
    # Shown twice: the first time. Skipped: later by what was skipped.
    return wall_ms - zone.offsets_s(wall_ms // 1000)[0] * 1000


def _zone(date: datetime, name: str | None) -> Zone:
    try:
        return find_zone(name)
    except RefusedError as refusal:
        raise CronExpressionError(date.isoformat(), "tz", refusal.reason, refusal.hint) from None
