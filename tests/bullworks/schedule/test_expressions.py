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
