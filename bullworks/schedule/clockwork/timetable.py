"""Timetable: everything that waits for its time, in one task."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from bullworks.schedule.clockwork.clock import Clock
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.clockwork.timers import Timer, Timers, TimerTarget
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# The longest sleep: a clock that was set is noticed after so long. One look at two heaps a second costs nothing.
_LONGEST_PAUSE_S = 1.0
# Set back or forward by less is NTP at work.
_SET_MS = 1_000
# What is due at once starts in groups, so that the first have begun before the last are looked at.
_GROUP = 64


class Timetable:
    """Fires crons by the wall clock, distributed ones by the shared clock, intervals and timeouts by the steady clock.

    How long to sleep is worked out from the wall clock each time, and no sleep is long, so that a clock which is
    set is followed at once: set forward, what is due by it is due now, late; set back, whatever waits is asked again.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.shared = SharedClock(clock, self._look_again)
        self._by_wall = Timers()
        self._by_shared = Timers()
        self._by_steady = Timers()
        self._to_rearm: deque[TimerTarget] = deque()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ahead_ms = self._shared_ahead_ms = 0

    @property
    def is_open(self) -> bool:
        """Whether the timetable fires what is due."""
        return self._task is not None

    def at_wall(self, due_ms: int, timed: TimerTarget) -> Timer:
        """Fire an object when the wall clock reaches a time."""
        return self._push(self._by_wall, due_ms, timed)

    def at_shared(self, due_ms: int, timed: TimerTarget) -> Timer:
        """Fire an object when the shared clock reaches a time."""
        return self._push(self._by_shared, due_ms, timed)

    def at_steady(self, due_ms: int, timed: TimerTarget) -> Timer:
        """Fire an object when the steady clock reaches a time."""
        return self._push(self._by_steady, due_ms, timed)

    def rearm_soon(self, timed: TimerTarget) -> None:
        """Call an object's `rearm` once everything due has fired: thousands may ask at once."""
        self._to_rearm.append(timed)
        self._changed.set()

    def start(self) -> None:
        """Start firing what is due."""
        if self._task is None:
            self._ahead_ms, self._shared_ahead_ms = self._ahead(), self._shared_ahead()
            self._task = asyncio.create_task(self._run(), name="schedule")

    async def close(self) -> None:
        """Stop firing. Closing twice, or before starting, is fine."""
        task, self._task = self._task, None
        await cancel_and_wait(task)

    def clear(self) -> None:
        """Discard all waits."""
        self._by_wall, self._by_shared, self._by_steady = Timers(), Timers(), Timers()
        self._to_rearm.clear()

    def _push(self, timers: Timers, due_ms: int, timed: TimerTarget) -> Timer:
        timer = timers.push(due_ms, timed)
        if timers.next_due_ms() == due_ms:
            self._changed.set()
        return timer

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            await self.clock.wait(self._changed, 0 if self._to_rearm else self._pause_s())
            await self._follow_clock()
            due = [timer for timers, now_ms in self._clocks() for timer in timers.pop_due(now_ms)]
            await _in_groups(due, lambda timer: timer.timed.fire(timer.due_ms))
            self._to_rearm.extend(timer.timed for timer in due)
            # A group at a time: to find the next tick of thousands takes longer than the next one may be late.
            for _ in range(min(_GROUP, len(self._to_rearm))):
                timed = self._to_rearm.popleft()
                _call_safely(timed, timed.rearm)

    def _pause_s(self) -> float:
        waits = [
            due_ms - now_ms
            for due_ms, now_ms in ((timers.next_due_ms(), now_ms) for timers, now_ms in self._clocks())
            if due_ms is not None
        ]
        return max(0.0, min([_LONGEST_PAUSE_S, *(wait_ms / 1000 for wait_ms in waits)]))

    async def _follow_clock(self) -> None:
        ahead_ms = self._ahead()
        set_ms, self._ahead_ms = ahead_ms - self._ahead_ms, ahead_ms
        if abs(set_ms) >= _SET_MS:
            how = "forward" if set_ms > 0 else "back"
            log.warning("the clock was set %s by %.1f s; crons follow it", how, abs(set_ms) / 1000)
            self.shared.doubted.set()  # or the machine slept, and the steady clock with it
        if set_ms <= -_SET_MS:
            await _in_groups(self._by_wall.waiting(), lambda timer: timer.timed.clock_set_back())
        ahead_ms = self._shared_ahead()
        set_ms, self._shared_ahead_ms = ahead_ms - self._shared_ahead_ms, ahead_ms
        if set_ms <= -_SET_MS:
            await _in_groups(self._by_shared.waiting(), lambda timer: timer.timed.clock_set_back())

    def _clocks(self) -> tuple[tuple[Timers, int], ...]:
        """What waits, and what the clock that it waits by shows."""
        return (
            (self._by_wall, self.clock.wall_ms()),
            (self._by_shared, self.shared.now_ms()),
            (self._by_steady, self.clock.steady_ms()),
        )

    def _look_again(self) -> None:
        self._changed.set()

    def _ahead(self) -> int:
        return self.clock.wall_ms() - self.clock.steady_ms()

    def _shared_ahead(self) -> int:
        return self.shared.now_ms() - self.clock.steady_ms()


async def _in_groups(timers: Sequence[Timer], act: Callable[[Timer], None]) -> None:
    """Do something with each, and let others run in between."""
    for start in range(0, len(timers), _GROUP):
        for timer in timers[start : start + _GROUP]:
            _call_safely(timer.timed, partial(act, timer))
        await asyncio.sleep(0)


def _call_safely(timed: TimerTarget, act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:
        log.exception("running %r failed; the others continue", timed)
