"""What may be said of when a scheduler's jobs run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options.repeat import Repeat


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_durations_and_dates_become_milliseconds() -> None:
    start = datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    repeat = Repeat.of(
        {"every": timedelta(seconds=5), "offset": 500, "start_date": start, "end_date": 2_000_000_000_000}
    )
    assert repeat == Repeat(
        every_ms=5_000, offset_ms=500, start_ms=ms("2029-12-31T23:00:00+00:00"), end_ms=2_000_000_000_000
    )


def test_none_is_as_if_not_given() -> None:
    assert Repeat.of({"every": 1_000, "pattern": None, "limit": None}) == Repeat(every_ms=1_000)


def test_an_offset_of_0_is_none_as_in_bullmq() -> None:
    assert Repeat.of({"every": 1_000, "offset": 0}) == Repeat(every_ms=1_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs a pattern"),
        ({"tz": "Europe/Paris"}, "needs a pattern"),
        ({"pattern": "* * * * *", "every": 5}, "both pattern and every"),
        ({"pattern": "* * * * *", "offset": 5}, "goes with every only"),
        ({"every": 5, "immediately": True, "start_date": 5}, "both immediately and start_date"),
        ({"every": 5, "start_date": 10, "end_date": 5}, "is before start_date"),
        ({"patern": "* * * * *"}, "did you mean repeat.pattern"),
        ({"pattern": ""}, "non-empty string"),
        ({"pattern": "61 * * * *"}, "61 * * * *"),
        ({"pattern": "not cron"}, "not cron"),
        ({"pattern": "0 0 31 2 *"}, "0 0 31 2 *"),
        ({"pattern": "* * * * *", "tz": "Nowhere/None"}, "Nowhere/None"),
        ({"pattern": "* * * * *", "tz": 5}, "non-empty string"),
        ({"every": 0}, "repeat.every: must be 1"),
        ({"every": 1.5}, "whole milliseconds"),
        ({"every": True}, "whole milliseconds"),
        ({"every": 5, "offset": -1}, "repeat.offset: must be 0"),
        ({"every": 5, "limit": 0}, "whole number >= 1"),
        ({"every": 5, "limit": True}, "whole number >= 1"),
        ({"every": 5, "limit": 1.5}, "whole number >= 1"),
        ({"every": 5, "immediately": 1}, "True or False"),
        ({"every": 5, "start_date": "2030-01-01"}, "ms since the epoch or a datetime"),
        ({"every": 5, "start_date": datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001 - that is the mistake
        ({"every": 5, "end_date": -1}, "1970 .. 9999"),
        ({"every": 5, "end_date": 10**15}, "1970 .. 9999"),
        ({"every": 5, "key": "x"}, "unknown option"),
        ("* * * * *", "must be a dict"),
    ],
)
def test_what_makes_no_sense_is_refused(options: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError) as refusal:
        Repeat.of(options)
    assert message in str(refusal.value)


def test_a_time_that_the_clock_skips_is_made_up_for() -> None:
    """Paris sets its clocks forward at 02:00 on 31 March 2030."""
    repeat = Repeat.of({"pattern": "30 2 * * *", "tz": "Europe/Paris"})
    runs, after_ms = [], ms("2030-03-30T00:00:00+01:00")
    for _ in range(3):
        run_ms = repeat.run_after_ms(after_ms, "seed")
        assert run_ms is not None
        runs.append(run_ms)
        after_ms = run_ms
    assert runs == [
        ms(f"2030-{day}") for day in ("03-30T01:30:00+00:00", "03-31T01:30:00+00:00", "04-01T00:30:00+00:00")
    ]


def test_the_start_date_itself_is_no_run_as_in_cron_parser() -> None:
    start = datetime(2031, 1, 1, tzinfo=UTC)
    repeat = Repeat.of({"pattern": "0 0 1 1 *", "tz": "UTC", "start_date": start})
    assert repeat.run_after_ms(0, "seed") == ms("2032-01-01T00:00:00+00:00")


def test_a_pattern_may_come_to_its_end() -> None:
    repeat = Repeat.of({"pattern": "0 0 1 1 *", "tz": "UTC"})
    assert repeat.run_after_ms(ms("9001-01-01T00:00:00+00:00"), "seed") is None


def test_a_drawn_minute_is_the_same_for_the_same_scheduler() -> None:
    repeat = Repeat.of({"pattern": "H * * * *", "tz": "UTC"})
    first = {seed: repeat.run_after_ms(0, seed) for seed in ("a", "b", "c", "d")}
    assert first == {seed: repeat.run_after_ms(0, seed) for seed in first}
    assert len(set(first.values())) > 1
