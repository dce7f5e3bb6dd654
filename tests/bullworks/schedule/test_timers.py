"""Timers: the soonest first, and cancelled ones do not pile up."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.schedule.clockwork.timers import Timers
from bullworks.schedule.clockwork.timetable import Timetable
from tests.bullworks.schedule.fake_clock import FakeClock, settled


class Waiting:
    """Does nothing, or fails."""

    def __init__(self, name: str = "", *, fails: bool = False) -> None:
        self.name = name
        self.fails = fails
        self.fired: list[int] = []

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def fire(self, due_ms: int) -> None:
        self.fired.append(due_ms)
        if self.fails:
            raise ValueError("on purpose")

    def rearm(self) -> None: ...

    def clock_set_back(self) -> None: ...


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans())), st.integers(0, 60))
def test_what_is_due_and_not_cancelled_comes_out_in_order(plans: list[tuple[int, bool]], now_ms: int) -> None:
    timers = Timers()
    made = [(timers.push(due_ms, Waiting()), is_cancelled) for due_ms, is_cancelled in plans]
    for timer, is_cancelled in made:
        if is_cancelled:
            timer.cancel()
            timer.cancel()
    expected = sorted(timer.due_ms for timer, is_cancelled in made if not is_cancelled)
    assert len(timers) == len(expected) == len(timers.waiting())
    assert [timer.due_ms for timer in timers.pop_due(now_ms)] == [due_ms for due_ms in expected if due_ms <= now_ms]
    assert timers.next_due_ms() == min((due_ms for due_ms in expected if due_ms > now_ms), default=None)


def test_cancelled_timers_leave_the_heap() -> None:
    timers = Timers()
    kept = timers.push(10**9, Waiting())
    for due_ms in range(10_000):
        timers.push(due_ms, Waiting()).cancel()
    assert len(timers) == 1
    assert len(timers._heap) <= 2
    assert timers.waiting() == [kept]


def test_a_timer_that_fired_is_not_cancelled_any_more() -> None:
    timers = Timers()
    timer = timers.push(1, Waiting())
    timers.push(2, Waiting())
    assert timers.pop_due(1) == [timer]
    timer.cancel()
    assert len(timers) == 1


async def test_one_that_fails_does_not_keep_the_others_waiting(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    timetable = Timetable(clock)
    bad, good = Waiting("bad", fails=True), Waiting("good")
    timetable.at_wall(clock.wall_ms() + 10, bad)
    timetable.at_wall(clock.wall_ms() + 10, good)
    timetable.start()
    timetable.start()
    await clock.advance(10)
    assert (len(bad.fired), len(good.fired)) == (1, 1)
    assert "running <bad> failed; the others continue" in caplog.messages
    await timetable.close()
    await timetable.close()


async def test_thousands_that_are_rearmed_let_what_is_due_go_first(clock: FakeClock) -> None:
    timetable = Timetable(clock)
    rearmed: list[int] = []

    class Slow(Waiting):
        def rearm(self) -> None:
            rearmed.append(len(urgent.fired))

    urgent = Waiting("urgent")
    timetable.start()
    await settled()
    for _ in range(1_000):
        timetable.rearm_soon(Slow())
    timetable.at_wall(clock.wall_ms() + 1, urgent)
    clock.stall_now(1)
    while len(rearmed) < 1_000:
        await settled()
    assert rearmed.count(0) < 200
    await timetable.close()


async def test_a_clock_that_is_set_is_said_once(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    timetable = Timetable(clock)
    timetable.start()
    for by_ms in (3_600_000, -7_200_000, 300):
        clock.set_wall(by_ms)
        await clock.advance(5_000)
    assert caplog.messages == [
        "the clock was set forward by 3600.0 s; crons follow it",
        "the clock was set back by 7200.0 s; crons follow it",
    ]
    await timetable.close()
