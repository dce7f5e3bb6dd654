"""A cron expression in a time zone: what callers hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from bullworks.cron_expression.errors import CronExpressionError, RefusedError
from bullworks.cron_expression.pattern import parse_pattern
from bullworks.cron_expression.search import RunSearch
from bullworks.cron_expression.wall import WallTimes
from bullworks.cron_expression.zone import find_zone

# Runs are looked for from 1900 (before, offsets have odd seconds) to 9000 (datetime ends at 9999). Seconds since 1970.
_FIRST_S = -2_208_988_800
_LAST_S = 221_845_392_000
# A parse takes about 1 ms, a parsed expression about 5 KB.
_CACHED_EXPRESSIONS = 16_384


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A parsed cron expression. Immutable, created by `parse`, safe to share between threads.

    Attributes:
        expression: as it was written.
        tz: the zone's name as it was written; None is the process's own zone.
    """

    expression: str
    tz: str | None
    _search: RunSearch = field(repr=False)

    @classmethod
    def parse(cls, expression: str, *, tz: str | None = None, hash_seed: str | None = None) -> Self:
        """Parse an expression of five fields, or of six with seconds first, or a preset such as `@daily`.

        Args:
            tz: an IANA name, or `UTC+3`; None means the process's own zone, as in Node.
            hash_seed: what the values of `H` are drawn from; None means a new draw for each parse.

        Raises:
            CronExpressionError: no such expression or zone, or it can never run (31 February).

        Source: npm cron-parser 5, CronExpressionParser.parse without `strict`.
        """
        try:
            zone = find_zone(tz)
        except RefusedError as refusal:
            raise CronExpressionError(expression, "tz", refusal.reason, refusal.hint) from None
        # What is drawn must not be remembered.
        wall = WallTimes(parse_pattern(expression, hash_seed)) if "H" in expression else _wall_times(expression)
        return cls(expression, tz, RunSearch(wall, zone))

    def __str__(self) -> str:
        return self.expression

    def next_ms(self, after_ms: int) -> int | None:
        """Find the first run after an instant, in ms since 1970; None if there is none before the year 9000.

        BullMQ's next iteration: pass the later of now and the last run. For a start date pass the later of now and it,
        for an end date drop a run past it.
        """
        # Runs are at full seconds: later than the instant is later than its second.
        after_s = max(after_ms // 1000, _FIRST_S)
        run_s = self._search.after(after_s) if after_s < _LAST_S else None
        return None if run_s is None else run_s * 1000

    def prev_ms(self, before_ms: int) -> int | None:
        """Find the last run before an instant, in ms since 1970; None if there is none since 1900.

        The run that `next_ms` gave before: unlike cron-parser's prev(), which knows no made-up time and runs a doubled
        time twice.
        """
        until_s = min((before_ms - 1) // 1000, _LAST_S)
        run_s = self._search.until(until_s) if until_s > _FIRST_S else None
        return None if run_s is None else run_s * 1000

    def runs_ms(self, after_ms: int) -> Iterator[int]:
        """Iterate over all runs after an instant, each the `next_ms` of the one before it."""
        run_ms = self.next_ms(after_ms)
        while run_ms is not None:
            yield run_ms
            run_ms = self.next_ms(run_ms)


@lru_cache(maxsize=_CACHED_EXPRESSIONS)
def _wall_times(expression: str) -> WallTimes:
    return WallTimes(parse_pattern(expression, None))
