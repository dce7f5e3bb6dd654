"""Repeat: when a job scheduler's jobs run, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from bullworks.bullmq.durations import Date, Duration, date_ms, to_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.cron_expression import CronExpressionError, CronSchedule


class RepeatOptions(TypedDict, total=False):
    """When to run: by `pattern` or `every`, one of the two. Source: BullMQ 6.7, RepeatOptions.

    Attributes:
        pattern: a cron expression of five fields, or of six with the seconds first.
        tz: the pattern's time zone, as in "Europe/Paris"; default: that of the process that reads it.
        every: from one run to the next, > 0.
        offset: of `every`: runs lie at whole multiples of it since the epoch, plus the offset. Default, and 0: counted
            from the first run.
        start_date: no run before it. With `every` the first run is then.
        end_date: no run after it.
        limit: runs in all, > 0; counted anew when the scheduler is changed.
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
    """The same, checked; ms since the epoch and durations in ms."""

    pattern: str | None = None
    tz: str | None = None
    every_ms: int | None = None
    offset_ms: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int | None = None
    immediately: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Repeat":
        """Check what a user gave.

        Raises:
            InvalidOptionError: an unknown name, a wrong type, a value out of range, a pattern that is none, or options
                that do not go together.
        """
        if not isinstance(options, Mapping):
            raise InvalidOptionError("repeat", f"must be a dict with pattern or every, not {options!r}")
        checked: dict[str, Any] = {}
        for option, value in options.items():
            check = _CHECKS.get(option)
            if check is None:
                raise InvalidOptionError.unknown(f"repeat.{option}", [f"repeat.{name}" for name in _CHECKS])
            if value is not None:
                field, checked_value = check(f"repeat.{option}", value)
                checked[field] = checked_value
        repeat = cls(**checked)
        repeat._refuse_contradictions()
        if repeat.pattern is not None:
            repeat.schedule("")
        return repeat

    def schedule(self, seed: str) -> CronSchedule:
        """The pattern's runs.

        Args:
            seed: what an `H` in the pattern is drawn from.

        Raises:
            InvalidOptionError: it is no cron expression, or the zone is none.
        """
        try:
            return CronSchedule.parse(self.pattern or "", tz=self.tz, hash_seed=seed)
        except CronExpressionError as error:
            raise InvalidOptionError("repeat.tz" if error.field == "tz" else "repeat.pattern", str(error)) from error

    def run_after_ms(self, after_ms: int, seed: str) -> int | None:
        """The pattern's first run later than that and than the start date; None: there is none."""
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


def _text(option: str, value: object) -> tuple[str, str]:
    if not isinstance(value, str) or not value:
        raise InvalidOptionError(option, f"must be a non-empty string, not {value!r}")
    return option.removeprefix("repeat."), value


def _every(option: str, value: object) -> tuple[str, int]:
    return "every_ms", _duration_ms(option, value, least=1)


def _offset(option: str, value: object) -> tuple[str, int | None]:
    # BullMQ takes 0 for none.
    return "offset_ms", _duration_ms(option, value, least=0) or None


def _start_date(option: str, value: object) -> tuple[str, int]:
    return "start_ms", date_ms(option, value)


def _end_date(option: str, value: object) -> tuple[str, int]:
    return "end_ms", date_ms(option, value)


def _limit(option: str, value: object) -> tuple[str, int]:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidOptionError(option, f"must be a whole number, 1 or more, not {value!r}")
    return "limit", value


def _immediately(option: str, value: object) -> tuple[str, bool]:
    if not isinstance(value, bool):
        raise InvalidOptionError(option, f"must be True or False, not {value!r}")
    return "immediately", value


def _duration_ms(option: str, value: object, *, least: int) -> int:
    try:
        return to_ms(value, option, least=least)
    except ValueError as error:
        raise InvalidOptionError(option, str(error).removeprefix(f"{option} ")) from None


_CHECKS = {
    "pattern": _text,
    "tz": _text,
    "every": _every,
    "offset": _offset,
    "start_date": _start_date,
    "end_date": _end_date,
    "limit": _limit,
    "immediately": _immediately,
}
