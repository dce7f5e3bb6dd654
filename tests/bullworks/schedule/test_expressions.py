"""CronExpression has Nest's names, and every one of them can run."""

from __future__ import annotations

import pytest

from bullworks.schedule import CronExpression
from bullworks.schedule.clockwork.ticks import ticks_of
from tests.bullworks.schedule.fake_clock import NOON_MS

HOUR_MS = 3_600_000


@pytest.mark.parametrize("expression", CronExpression, ids=lambda expression: expression.name)
def test_every_named_expression_runs(expression: CronExpression) -> None:
    assert ticks_of(expression, time_zone="UTC").next_ms(NOON_MS) is not None


@pytest.mark.parametrize(
    ("name", "first", "period"),
    [
        ("EVERY_SECOND", 1_000, 1_000),
        ("EVERY_10_SECONDS", 10_000, 10_000),
        ("EVERY_MINUTE", 60_000, 60_000),
        ("EVERY_30_MINUTES", HOUR_MS // 2, HOUR_MS // 2),
        ("EVERY_HOUR", HOUR_MS, HOUR_MS),
        ("EVERY_DAY_AT_1PM", HOUR_MS, 24 * HOUR_MS),
        ("EVERY_DAY_AT_NOON", 24 * HOUR_MS, 24 * HOUR_MS),
        ("EVERY_DAY_AT_MIDNIGHT", 12 * HOUR_MS, 24 * HOUR_MS),
        ("MONDAY_TO_FRIDAY_AT_12PM", 24 * HOUR_MS, 24 * HOUR_MS),
        ("MONDAY_TO_FRIDAY_AT_09_30AM", 21 * HOUR_MS + HOUR_MS // 2, 24 * HOUR_MS),
    ],
)
def test_the_names_say_when(name: str, first: int, period: int) -> None:
    """From a Wednesday at noon."""
    ticks = ticks_of(CronExpression[name], time_zone="UTC")
    first_ms = ticks.next_ms(NOON_MS)
    assert first_ms is not None
    assert first_ms - NOON_MS == first
    assert (ticks.next_ms(first_ms) or 0) - first_ms == period


def test_there_are_as_many_as_nest_has() -> None:
    names = CronExpression.__members__
    hours = [f"EVERY_DAY_AT_{hour}{half}" for half in ("AM", "PM") for hour in range(1, 12)]
    weekdays = [f"MONDAY_TO_FRIDAY_AT_{hour}{half}" for half in ("AM", "PM") for hour in range(1, 12)]
    assert {*hours, *weekdays, *(f"EVERY_{hours}_HOURS" for hours in range(2, 13))} <= set(names)
    assert len(names) == 83


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("@Daily", "cron expression '@Daily': presets are lower case. Did you mean '@daily'?"),
        ("@WEEKLY", "cron expression '@WEEKLY': presets are lower case. Did you mean '@weekly'?"),
        ("@dayly", "cron expression '@dayly': there is no such preset. Did you mean '@daily'?"),
        (
            "@reboot",
            (
                "cron expression '@reboot': there is no such preset. There are @yearly, @annually, @monthly, @weekly, "
                "@daily, @hourly, @minutely, @secondly, @weekdays, @weekends"
            ),
        ),
        ("EVERY_MINUTE", "'EVERY_MINUTE' is the name of an expression: write CronExpression.EVERY_MINUTE"),
        ("every_10_seconds", "'every_10_seconds' is the name of an expression: write CronExpression.EVERY_10_SECONDS"),
    ],
)
def test_a_preset_or_a_name_that_is_written_otherwise_is_told_as_that(expression: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        ticks_of(expression)
    assert str(caught.value) == said


# What docs/schedule.md says of npm's `cron`; seen there and in cron-parser, 15 July 2026 at noon, UTC.


@pytest.mark.parametrize(
    "expression", ["0 5,5 * * * *", "0 1,1-3 * * *", "*,5 * * * *", "*/5,*/7 * * * *", "0 0 * * 0,7"]
)
def test_a_value_that_is_named_twice_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"names a value twice\. Name each value once"):
        ticks_of(expression)


@pytest.mark.parametrize("expression", ["0 0 1 * 0-6", "0 0 1 * 0-7", "0 0 1 * */1", "0 0 1-31 * 1", "0 0 */1 * 1"])
def test_all_days_beside_another_day_are_every_day(expression: str) -> None:
    ticks = ticks_of(expression, time_zone="UTC")
    first_ms = ticks.next_ms(NOON_MS)
    assert first_ms == NOON_MS + 12 * HOUR_MS
    assert ticks.next_ms(first_ms) == first_ms + 24 * HOUR_MS
