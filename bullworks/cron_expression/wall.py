"""The times a clock on the wall must show, found by croniter. No time zone here: every minute exists once."""

from __future__ import annotations

import copy
from typing import Final

from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped] # it ships no types

from bullworks.cron_expression.pattern import Pattern

DAY_S = 86_400
HOUR_S = 3_600
# croniter gives up past this. The rarest date there is, a fifth weekday of February, is at most 40 years away.
_SEARCHED_YEARS = 50


class WallTimes:
    """All wall clock times that match a pattern, in seconds since 1970-01-01 00:00 local time."""

    __slots__ = ("_searches", "first_in_hour_s", "hours", "months", "pattern")

    def __init__(self, pattern: Pattern) -> None:
        self.pattern: Final = pattern
        self.hours: Final = frozenset(pattern.hours)
        self.months: Final = frozenset(pattern.months)
        self.first_in_hour_s: Final = pattern.first_in_hour_s
        self._searches: Final = [
            croniter(line, 0.0, second_at_beginning=True, max_years_between_matches=_SEARCHED_YEARS)
            for line in pattern.lines
        ]

    def __repr__(self) -> str:
        return f"WallTimes({self.pattern.lines!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WallTimes) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def after(self, wall_s: int) -> int | None:
        """Find the first match after a time; None if there is none in 50 years."""
        found = [self._search(search, wall_s, forward=True) for search in self._searches]
        return min((time for time in found if time is not None), default=None)

    def before(self, wall_s: int) -> int | None:
        """Find the last match before a time; None if there is none in 50 years."""
        found = [self._search(search, wall_s, forward=False) for search in self._searches]
        return max((time for time in found if time is not None), default=None)

    def __contains__(self, wall_s: int) -> bool:
        return self.after(wall_s - 1) == wall_s

    def has_day_of(self, wall_s: int) -> bool:
        """Whether there are matches on the day of a time."""
        midnight_s = wall_s // DAY_S * DAY_S
        first = self.after(midnight_s - 1)
        return first is not None and first < midnight_s + DAY_S

    def first_in_hour_of(self, wall_s: int) -> int:
        """Find the first match in the hour of a time, if the hour and the day match."""
        return wall_s // HOUR_S * HOUR_S + self.first_in_hour_s

    @staticmethod
    def _search(search: croniter, wall_s: int, *, forward: bool) -> int | None:
        # A croniter remembers where it is; each search has its own, so that threads may share a schedule.
        own = copy.copy(search)
        step = own.get_next if forward else own.get_prev
        try:
            return int(step(float, start_time=float(wall_s)))
        except CroniterBadDateError:
            return None
