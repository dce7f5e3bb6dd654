"""Repeat: when a job scheduler's jobs run, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from typing_extensions import TypedDict

from bullworks import cron_expression
from bullworks.bullmq.durations import Date, Duration, checked_ms, date_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks


class RepeatOptions(TypedDict, total=False):
    """A schedule: by `pattern` or `every`, one of the two. Source: BullMQ 6.7, RepeatOptions.

    Attributes:
        pattern: a cron expression of five fields, or of six with the seconds first.
        tz: the pattern's time zone, as in "Europe/Paris"; default: that of the process that reads it.
        every: from one run to the next, > 0.
        offset: of `every`: runs lie at whole multiples of it since the epoch, plus the offset. Default, and 0: counted
            from the first run.
        start_date: no run before it. With `every` the first run is then.
        end_date: no run after it.
        limit: runs in all, > 0; counted from 0 again when the scheduler is changed.
        immediately: of a pattern: the first run is now. With `every` it is now anyway.
        key: with `Queue.add` only: the id of its job scheduler. Default: made of the job's name and of when it runs.
    """

    pattern: str
    tz: str
    every: Duration
    offset: Duration
    start_date: Date
    end_date: Date
    limit: int
    immediately: bool
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Repeat options after validation; times in ms since the epoch, durations in ms."""

    pattern: str | None = None
    tz: str | None = None
    every_ms: int | None = None
    offset_ms: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int | None = None
    immediately: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Repeat:
        """Validate a user's repeat options.

        Raises:
            InvalidOptionError: an unknown name, a wrong type, a value out of range, a pattern that is none, or options
                that do not go together.
        """
        checked: dict[str, Any] = {}
        for option, value in checks.parts("repeat", options, _CHECKS).items():
            if value is not None:
                field, check = _CHECKS[option]
                checked[field] = check(f"repeat.{option}", value)
        repeat = cls(**checked)
        repeat._refuse_contradictions()
        if repeat.pattern is not None:
            repeat.schedule("")
        return repeat

    def schedule(self, seed: str) -> cron_expression.CronSchedule:
        """The parsed cron schedule of the pattern.

        Args:
            seed: what an `H` in the pattern is drawn from.

        Raises:
            InvalidOptionError: not a cron expression, or an unknown zone.
        """
        try:
            return cron_expression.CronSchedule.parse(self.pattern or "", tz=self.tz, hash_seed=seed)
        except cron_expression.CronExpressionError as error:
            raise InvalidOptionError("repeat.tz" if error.field == "tz" else "repeat.pattern", str(error)) from error

    def run_after_ms(self, after_ms: int, seed: str) -> int | None:
        """Find the pattern's first run after a time and after the start date; None if there is none."""
        return self.schedule(seed).next_ms(max(after_ms, self.start_ms or 0))

    def _refuse_contradictions(self) -> None:
        if self.pattern is not None and self.every_ms is not None:
            raise InvalidOptionError("repeat", "has both pattern and every; choose one")
        if self.pattern is None and self.every_ms is None:
            raise InvalidOptionError("repeat", "needs a pattern, as in '*/5 * * * *', or every, in ms")
        if self.pattern is not None and self.offset_ms is not None:
            raise InvalidOptionError("repeat.offset", "goes with every only; move the pattern instead")
        if self.immediately and self.start_ms is not None:
            raise InvalidOptionError("repeat", "has both immediately and start_date; choose one")
        if self.start_ms is not None and self.end_ms is not None and self.end_ms < self.start_ms:
            raise InvalidOptionError("repeat.end_date", "is before start_date")


# By the option's name, the field of Repeat that it fills and what checks it.
_CHECKS: dict[str, tuple[str, Callable[[str, object], Any]]] = {
    "pattern": ("pattern", checks.text),
    "tz": ("tz", checks.text),
    "every": ("every_ms", partial(checked_ms, least=1)),
    # BullMQ takes 0 for none.
    "offset": ("offset_ms", lambda option, value: checked_ms(option, value) or None),
    "start_date": ("start_ms", date_ms),
    "end_date": ("end_ms", date_ms),
    "limit": ("limit", partial(checks.whole, least=1)),
    "immediately": ("immediately", checks.flag),
}
