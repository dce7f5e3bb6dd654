"""From what a clock on the wall must show to instants: what a clock that is set forward or back makes of it.

The rules are cron-parser's. A pattern with all 24 hours is about elapsed time: it runs at every instant at which the
clock shows a match. Any other one is about the wall clock:

- A time that the clock skips is made up for once, in the hour the clock lands on (02:30 runs at 03:30), if the search
  began before the change. Whole hours only. A change at midnight counts only if the hour before it is scheduled too, or
  if the search began in a scheduled hour before another such change, be it a year ago.
- A time that the clock shows twice runs once, at the first pass. The second pass counts for a search that begins in it,
  and for one that comes to a doubled midnight without having looked at the hour before it.

Clocks that are not set by one hour at a full hour (today Lord Howe, Troll and Chatham) follow the same rules here;
cron-parser loses or repeats runs there, or gives up. And where a day's last hour is skipped (Nuuk, in March), it loses
that day to a search that comes by the last hour of the day before; we do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bullworks.cron_expression.wall import DAY_S, HOUR_S, WallTimes
from bullworks.cron_expression.zone import Zone

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class _Change:
    """A clock is set forward or back.

    Attributes:
        at_s: the first instant that has the new offset.
        old_s, new_s: the offsets before and after.
    """

    at_s: int
    old_s: int
    new_s: int


@dataclass(frozen=True, slots=True)
class RunSearch:
    """Finds the instants, in seconds since 1970, at which a pattern runs in a zone."""

    wall: WallTimes
    zone: Zone

    def after(self, after_s: int) -> int | None:
        """Find the first run after a second."""
        offset = self.zone.offset_s(after_s)
        wall = self.wall.after(after_s + offset)
        old, new = self.zone.offsets_s(after_s + offset)
        if old > new and offset == old and self._is_elapsed:
            # Inside a first pass: what is left of it, then the whole second.
            change_s = self.zone.change_s(after_s, after_s + old - new)
            if wall is None or wall - old >= change_s:
                wall = self.wall.after(change_s + new - 1)
        while wall is not None:
            old, new = self.zone.offsets_s(wall)
            if old == new or wall - old <= after_s:
                # Shown once; or the second pass, in which the search began or the first of which is over.
                return wall - new
            if old > new:
                doubled = _Change(self.zone.change_s(wall - old, wall - new), old, new)
                return wall - old if self._sees_first_pass(after_s, doubled) else wall - new
            skipped = _Change(self.zone.change_s(wall - new, wall - old), old, new)
            made_up = self._made_up(skipped, after_s)
            if made_up is not None:
                return made_up
            wall = self.wall.after(skipped.at_s + new - 1)
        return None

    def until(self, until_s: int) -> int | None:
        """Find the last run at or before a second, among those that `after` yields in turn."""
        offset = self.zone.offset_s(until_s)
        wall = self.wall.before(until_s + offset + 1)
        old, new = self.zone.offsets_s(until_s + offset)
        if old > new and offset == new:
            # Inside a second pass: its runs so far if it has any, then the whole first.
            doubled = _Change(self.zone.change_s(until_s + new - old, until_s), old, new)
            if wall is None or wall - new < doubled.at_s or not self._runs_in(doubled)[1]:
                wall = self.wall.before(doubled.at_s + old)
        while wall is not None:
            old, new = self.zone.offsets_s(wall)
            if old == new:
                return wall - old
            if old > new:
                doubled = _Change(self.zone.change_s(wall - old, wall - new), old, new)
                in_first, in_second = self._runs_in(doubled)
                if in_second and wall - new <= until_s:
                    return wall - new
                if in_first:
                    return wall - old
                wall = self.wall.before(doubled.at_s + new)
                continue
            skipped = _Change(self.zone.change_s(wall - new, wall - old), old, new)
            run_before = self.until(skipped.at_s - 1) if _is_at_midnight(skipped) else None
            made_up = self._made_up(skipped, skipped.at_s - 1 if run_before is None else run_before)
            if made_up is not None and made_up <= until_s:
                return made_up
            wall = self.wall.before(skipped.at_s + old)
        return None

    @property
    def _is_elapsed(self) -> bool:
        return len(self.wall.hours) == 24

    def _made_up(self, change: _Change, began_s: int) -> int | None:
        """The run for all that is skipped when the clock is set forward; None if it is let go."""
        landing = change.at_s + change.new_s
        if self._is_elapsed or not _skips_hours(change):
            return None
        if _is_at_midnight(change) and not (self.wall.has_day_of(landing) and self._notices(change, began_s)):
            return None
        return self.wall.first_in_hour_of(landing) - change.new_s

    def _notices(self, change: _Change, began_s: int) -> bool:
        """Whether a search notices that midnight is skipped: not if it comes from day to day.

        It does if it comes from the hour before. That it went from such an hour over the midnight of another change it
        remembers until the next day that matches.
        """
        if self.wall.first_in_hour_of(change.at_s + change.old_s - 1) in self.wall:
            return True
        began = began_s + self.zone.offset_s(began_s)
        midnight = began // DAY_S * DAY_S + DAY_S
        if midnight - began > HOUR_S or self.wall.first_in_hour_of(began) not in self.wall:
            return False
        old, new = self.zone.offsets_s(midnight)
        if old >= new:
            return False
        other = _Change(self.zone.change_s(midnight - new, midnight - old), old, new)
        return _is_at_midnight(other) and _skips_hours(other)

    def _sees_first_pass(self, after_s: int, change: _Change) -> bool:
        """Whether a search that begins before the doubled time comes upon its first pass, not only on the second."""
        midnight = change.at_s + change.new_s
        began = after_s + self.zone.offset_s(after_s)
        if midnight % DAY_S or began >= midnight:
            return True
        if self.wall.has_day_of(midnight - 1):
            return 23 in self.wall.hours
        # A search that goes from day to day, or month to month, keeps the offset it would have at the hour at which it
        # began; later ones begin at midnight.
        counted_from = midnight - DAY_S
        yesterday = _EPOCH + timedelta(seconds=counted_from)
        if yesterday.month not in self.wall.months:
            counted_from = (yesterday.replace(day=1) - _EPOCH).days * DAY_S
        return began < counted_from + change.old_s - change.new_s

    def _runs_in(self, change: _Change) -> tuple[bool, bool]:
        """Whether a doubled time runs in its first pass, and in its second, when runs follow each other."""
        sees_first = True
        if (change.at_s + change.new_s) % DAY_S == 0:
            run_before = self.until(change.at_s + change.new_s - change.old_s - 1)
            sees_first = run_before is None or self._sees_first_pass(run_before, change)
        return sees_first, self._is_elapsed or not sees_first


def _skips_hours(change: _Change) -> bool:
    """Whether the clock skips at least one whole hour, and lands on a full one."""
    last, landing = change.at_s + change.old_s - 1, change.at_s + change.new_s
    return landing % HOUR_S == 0 and (landing // HOUR_S - last // HOUR_S) % 24 >= 2


def _is_at_midnight(change: _Change) -> bool:
    """Whether the clock is set forward from one day to the next."""
    return (change.at_s + change.old_s - 1) // DAY_S != (change.at_s + change.new_s) // DAY_S
