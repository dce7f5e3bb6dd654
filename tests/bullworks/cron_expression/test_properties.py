"""What holds for every expression, zone and instant."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bullworks.cron_expression import CronSchedule

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]
ZONES += ["Africa/Casablanca", "America/Havana", "Atlantic/Azores", "Africa/Cairo", "America/Nuuk", "Antarctica/Troll"]
HOUR_S = 3_600


@dataclass(frozen=True)
class Drawn:
    """An expression as text and, apart from the text, the values it was made of."""

    texts: list[str]
    seconds: set[int]
    minutes: set[int]
    hours: set[int]
    days: set[int]
    months: set[int]
    weekdays: set[int]
    last_day: bool

    @property
    def expression(self) -> str:
        return " ".join(self.texts)

    def has_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        is_last = day.day == calendar.monthrange(day.year, day.month)[1]
        in_month = day.day in self.days or (self.last_day and is_last)
        in_week = day.isoweekday() % 7 in self.weekdays
        if self.texts[3] == "*":
            return in_week
        return in_month if self.texts[5] == "*" else in_month or in_week

    def has_clock(self, time: datetime) -> bool:
        return time.hour in self.hours and time.minute in self.minutes and time.second in self.seconds


@st.composite
def field(draw: st.DrawFn, low: int, high: int) -> tuple[set[int], str]:
    form = draw(st.sampled_from(["any", "step", "range", "list"]))
    if form == "any":
        return set(range(low, high + 1)), "*"
    if form == "step":
        step = draw(st.integers(2, high))
        return set(range(low, high + 1, step)), f"*/{step}"
    if form == "range":
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        return set(range(first, last + 1)), f"{first}-{last}"
    values = draw(st.sets(st.integers(low, high), min_size=1, max_size=4))
    return values, ",".join(map(str, values))


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    second, minute, hour = (draw(field(0, high)) for high in (59, 59, 23))
    month, weekday = draw(field(1, 12)), draw(field(0, 6))
    # Days 29 to 31 never stand alone, so that every draw has runs.
    days, day_text = draw(st.one_of(field(1, 31), st.just((set[int](), "L"))))
    last_day = day_text == "L" or (day_text != "*" and draw(st.booleans()))
    if last_day and day_text != "L":
        day_text += ",L"
    elif min(days, default=1) > 28:
        days, day_text = {1}, "1"
    texts = [second[1], minute[1], hour[1], day_text, month[1], weekday[1]]
    return Drawn(texts, second[0], minute[0], hour[0], days, month[0], weekday[0], last_day)


# The years 2001 to 2036.
instants_ms = st.integers(978_307_200_000, 2_114_380_800_000)


@given(drawn(), st.sampled_from(ZONES), instants_ms)
def test_runs_are_later_than_asked_and_grow_and_match(pattern: Drawn, tz: str, start_ms: int) -> None:
    schedule = CronSchedule.parse(pattern.expression, tz=tz)
    last_ms = start_ms
    for _ in range(4):
        run_ms = schedule.next_ms(last_ms)
        assert run_ms is not None
        assert run_ms > last_ms
        assert run_ms % 1000 == 0
        assert _matches(pattern, run_ms, tz)
        last_ms = run_ms


@given(drawn(), instants_ms)
def test_no_match_lies_between_an_instant_and_the_next_run(pattern: Drawn, start_ms: int) -> None:
    """In UTC, looked at second by second for ten minutes and day by day for a year."""
    run_ms = CronSchedule.parse(pattern.expression, tz="UTC").next_ms(start_ms)
    assert run_ms is not None
    run = datetime.fromtimestamp(run_ms / 1000, UTC)
    second = datetime.fromtimestamp(start_ms // 1000 + 1, UTC)
    for _ in range(600):
        if second >= run:
            break
        assert not (pattern.has_day(second) and pattern.has_clock(second))
        second += timedelta(seconds=1)
    day = datetime.fromtimestamp(start_ms / 1000, UTC).date() + timedelta(days=1)
    for _ in range(366):
        if day >= run.date():
            break
        assert not pattern.has_day(datetime(day.year, day.month, day.day, tzinfo=UTC))
        day += timedelta(days=1)


@given(drawn(), st.sampled_from(ZONES), instants_ms)
def test_prev_goes_back_over_the_runs_that_next_gave(pattern: Drawn, tz: str, start_ms: int) -> None:
    schedule = CronSchedule.parse(pattern.expression, tz=tz)
    run_ms = schedule.prev_ms(start_ms)
    assert run_ms is not None
    assert run_ms < start_ms
    for _ in range(4):
        next_ms = schedule.next_ms(run_ms)
        assert next_ms is not None
        assert schedule.prev_ms(next_ms) == run_ms
        assert schedule.prev_ms(run_ms + 1) == run_ms
        run_ms = next_ms


@given(
    st.sampled_from(
        ["30 2 * * *", "*/20 1-3 * * *", "0 0 * * *", "15 0,23 * * *", "0 * * * *", "*/7 * * * 0", "5 */2 * * 6"]
    ),
    st.sampled_from(ZONES),
    st.integers(2010, 2036),
    st.sampled_from([(3, 28), (4, 4), (10, 28), (11, 4)]),
)
def test_prev_and_next_agree_around_clock_changes(expression: str, tz: str, year: int, day: tuple[int, int]) -> None:
    """A fortnight of runs, forward and backward."""
    schedule = CronSchedule.parse(expression, tz=tz)
    end_ms = int(datetime(year, *day, tzinfo=UTC).timestamp() * 1000)
    first_ms = schedule.prev_ms(end_ms - 3 * 86_400_000)
    assert first_ms is not None
    forward = [first_ms]
    for run_ms in schedule.runs_ms(first_ms):
        if run_ms >= end_ms or len(forward) > 2000:
            break
        forward.append(run_ms)
    backward = []
    run = schedule.prev_ms(end_ms)
    for _ in forward:
        assert run is not None
        backward.append(run)
        run = schedule.prev_ms(run)
    assert backward[::-1] == forward


def _matches(pattern: Drawn, run_ms: int, tz: str) -> bool:
    """Whether the clock on the wall shows a match, or one within the hours that it has just skipped."""
    zone = ZoneInfo(tz)
    shown = datetime.fromtimestamp(run_ms // 1000, zone)
    if pattern.has_day(shown) and pattern.has_clock(shown):
        return True
    before = datetime.fromtimestamp(run_ms // 1000 - HOUR_S, zone)
    skipped_s = int(((shown.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())).total_seconds())
    hours = {(shown.hour - back) % 24 for back in range(1, skipped_s // HOUR_S + 1)}
    return (
        bool(hours & pattern.hours)
        and pattern.has_day(shown)
        and shown.minute in pattern.minutes
        and shown.second in pattern.seconds
    )
