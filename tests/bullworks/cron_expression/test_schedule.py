"""CronSchedule as callers use it."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from bullworks.cron_expression import CronSchedule
from bullworks.cron_expression.wall import WallTimes
from tests.bullworks.cron_expression.golden import milliseconds, text


def runs(expression: str, tz: str, start: str, count: int) -> list[str]:
    found = CronSchedule.parse(expression, tz=tz).runs_ms(milliseconds(start))
    return [text(run) for _, run in zip(range(count), found, strict=False)]


def previous(expression: str, tz: str, before: str) -> str:
    run = CronSchedule.parse(expression, tz=tz).prev_ms(milliseconds(before))
    assert run is not None
    return text(run)


def test_a_skipped_time_is_made_up_for_in_the_hour_the_clock_lands_on() -> None:
    assert runs("30 2 * * *", "Europe/Paris", "2024-03-30T12:00:00Z", 2) == [
        "2024-03-31T01:30:00Z",
        "2024-04-01T00:30:00Z",
    ]


def test_a_doubled_time_runs_at_its_first_pass_only() -> None:
    assert runs("30 2 * * *", "Europe/Paris", "2024-10-26T12:00:00Z", 2) == [
        "2024-10-27T00:30:00Z",
        "2024-10-28T01:30:00Z",
    ]


def test_an_hourly_expression_goes_by_elapsed_time() -> None:
    hours = runs("0 * * * *", "Europe/Paris", "2024-10-26T23:30:00Z", 4)
    assert [hour[11:16] for hour in hours] == ["00:00", "01:00", "02:00", "03:00"]
    hours = runs("0 * * * *", "Europe/Paris", "2024-03-30T23:30:00Z", 3)
    assert [hour[11:16] for hour in hours] == ["00:00", "01:00", "02:00"]


def test_the_previous_run_is_the_one_next_gave() -> None:
    """Also where cron-parser's prev() differs: the made-up run is known, the doubled one came once."""
    assert previous("30 2 * * *", "Europe/Paris", "2024-03-31T12:00:00Z") == "2024-03-31T01:30:00Z"
    assert previous("30 2 * * *", "Europe/Paris", "2024-03-31T01:20:00Z") == "2024-03-30T01:30:00Z"
    assert previous("30 2 * * *", "Europe/Paris", "2024-10-27T12:00:00Z") == "2024-10-27T00:30:00Z"
    assert previous("0 * * * *", "Europe/Paris", "2024-10-27T01:30:00Z") == "2024-10-27T01:00:00Z"
    # Havana doubles the hour after midnight; coming from the day before, the daily run is at the second pass.
    assert previous("48 0,23 29 3 *", "Atlantic/Azores", "2026-03-29T12:00:00Z") == "2026-03-29T01:48:00Z"
    assert previous("0 0 * * *", "America/Havana", "2026-11-01T12:00:00Z") == "2026-11-01T05:00:00Z"
    assert previous("0 0 * * *", "America/Havana", "2026-11-01T04:30:00Z") == "2026-10-31T04:00:00Z"


def test_next_is_later_and_prev_earlier_than_an_instant_that_is_a_run() -> None:
    schedule = CronSchedule.parse("*/5 * * * *", tz="UTC")
    assert schedule.next_ms(300_000) == 600_000
    assert schedule.next_ms(299_999) == 300_000
    assert schedule.prev_ms(300_000) == 0
    assert schedule.prev_ms(300_001) == 300_000


def test_an_instant_before_1970_is_an_instant() -> None:
    schedule = CronSchedule.parse("0 0 1 1 *", tz="UTC")
    assert schedule.next_ms(-1) == 0
    assert schedule.prev_ms(0) == milliseconds("1969-01-01T00:00:00Z")


def test_beyond_the_years_we_know_there_is_no_run() -> None:
    schedule = CronSchedule.parse("0 0 * * *", tz="Europe/Paris")
    assert schedule.next_ms(milliseconds("9000-01-01T00:00:00Z")) is None
    assert schedule.next_ms(2**63) is None
    assert schedule.prev_ms(milliseconds("1900-01-01T00:00:00Z")) is None
    assert schedule.prev_ms(-(2**63)) is None
    assert list(schedule.runs_ms(milliseconds("9000-01-01T00:00:00Z"))) == []
    first, last = schedule.next_ms(-(2**63)), schedule.prev_ms(2**63)
    assert first is not None
    assert last is not None
    assert text(first).startswith("1900-01-0")
    assert text(last).startswith("8999-12-31")


def test_a_schedule_shows_its_expression_and_cannot_be_changed() -> None:
    schedule = CronSchedule.parse("@daily", tz="UTC")
    assert str(schedule) == "@daily"
    assert repr(schedule) == "CronSchedule(expression='@daily', tz='UTC')"
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.expression = "@hourly"  # type: ignore[misc]


def test_equal_expressions_in_equal_zones_are_equal_and_parsed_once() -> None:
    first, second = (CronSchedule.parse("1 2 3 4 5", tz="Europe/Paris") for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first._search.wall is second._search.wall
    assert first != CronSchedule.parse("1 2 3 4 5", tz="UTC")


def test_an_unseeded_h_is_drawn_anew_by_each_parse() -> None:
    drawn = {CronSchedule.parse("H H H * * *", tz="UTC").next_ms(0) for _ in range(20)}
    assert len(drawn) > 1
    seeded = {CronSchedule.parse("H H H * * *", tz="UTC", hash_seed="a").next_ms(0) for _ in range(20)}
    assert len(seeded) == 1


def test_threads_may_share_a_schedule() -> None:
    schedule = CronSchedule.parse("*/7 3-20 * * 1-5", tz="Europe/Paris")
    instants = [milliseconds("2024-03-01T00:00:00Z") + hours * 3_600_000 for hours in range(400)]
    alone = [schedule.next_ms(instant) for instant in instants]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(schedule.next_ms, instants)) == alone


@pytest.mark.parametrize("expression", ["* * * * * *", "30 0 * * 0", "0 0 29 2 *", "59 59 23 31 12 7", "0 0 * 2 1#5"])
@pytest.mark.parametrize("start", ["2026-03-07T20:10:00Z", "2026-10-31T20:10:00Z", "2026-11-01T04:30:00Z"])
def test_a_search_is_a_handful_of_searches_of_the_calendar(
    expression: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work for one answer is bounded, whatever the clock does (Havana changes it at midnight)."""
    asked: list[int] = []
    for name in ("after", "before"):
        search = getattr(WallTimes, name)

        def counted(self: WallTimes, wall_s: int, search: object = search) -> int | None:
            asked.append(wall_s)
            return search(self, wall_s)  # type: ignore[operator,no-any-return]

        monkeypatch.setattr(WallTimes, name, counted)
    schedule = CronSchedule.parse(expression, tz="America/Havana")
    for ask in (schedule.next_ms, schedule.prev_ms):
        asked.clear()
        assert ask(milliseconds(start)) is not None
        assert len(asked) <= 6
