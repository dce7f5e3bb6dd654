"""CronTimer: one cron's ticks, one after the other."""

from typing import Protocol

from bullworks.schedule.clockwork.ticks import Ticks
from bullworks.schedule.clockwork.timers import Timer
from bullworks.schedule.clockwork.timetable import Timetable


class TickListener(Protocol):
    """Receiver of a cron's ticks."""

    def tick(self, tick_ms: int, late_ms: int) -> None:
        """Receive a tick, and how late it is."""

    def passed(self, ticks_ms: list[int], late_ms: int) -> None:
        """Receive ticks that were skipped, and how late the first is; there may be more after them."""

    def ran_out(self) -> None:
        """Note that there will be no more ticks."""


class CronTimer:
    """Waits on the timetable for the next tick, and then for the one after it.

    A tick comes up once. A clock that is set forward passes ticks over, without a burst. Set back by less than the
    time to the next tick, nothing is repeated; set back by more, the clock is followed, and its ticks come again.

    Args:
        threshold_ms: a tick at most this late still runs.
        most_named: how many of the ticks passed over at once are named; to find each takes a search.
        is_shared: it goes by the clock of the whole fleet, not by the machine's.
    """

    __slots__ = (
        "_from_ms",
        "_last_ms",
        "_timer",
        "is_shared",
        "listener",
        "most_named",
        "next_ms",
        "threshold_ms",
        "ticks",
        "timetable",
    )

    def __init__(
        self,
        ticks: Ticks,
        *,
        threshold_ms: int,
        most_named: int,
        timetable: Timetable,
        listener: TickListener,
        is_shared: bool = False,
    ) -> None:
        self.ticks = ticks
        self.threshold_ms = threshold_ms
        self.most_named = most_named
        self.timetable = timetable
        self.listener = listener
        self.is_shared = is_shared
        self.next_ms: int | None = None
        self._from_ms: int | None = None
        self._last_ms: int | None = None
        self._timer: Timer | None = None

    def __repr__(self) -> str:
        return f"CronTimer({self.ticks.pattern!r})"

    def now_ms(self) -> int:
        """Read the clock that the cron uses, ms since 1970."""
        return self.timetable.shared.now_ms() if self.is_shared else self.timetable.clock.wall_ms()

    def start(self, delay_ms: int = 0) -> None:
        """Wait for the first tick after now plus a delay."""
        self.stop()
        self._from_ms = self.now_ms() + delay_ms
        self.timetable.rearm_soon(self)

    def stop(self) -> None:
        """Stop waiting for ticks."""
        self.next_ms = self._last_ms = self._from_ms = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def fire(self, due_ms: int) -> None:
        self._timer, self._last_ms, self.next_ms = None, due_ms, None
        self.listener.tick(due_ms, self.now_ms() - due_ms)

    def rearm(self) -> None:
        if self._from_ms is not None:
            first_ms = self.ticks.next_ms(max(self._from_ms, self.now_ms()))
            self._from_ms = None
            self._wait_for(first_ms)
            return
        # Stopped, or restarted, by what it had set off.
        if self._timer is not None or self._last_ms is None:
            return
        last_ms, now_ms = self._last_ms, self.now_ms()
        next_ms = self.ticks.next_ms(last_ms)
        # What is late, yet not too late, still comes up.
        over_ms = now_ms - self.threshold_ms - 1
        passed: list[int] = []
        while next_ms is not None and next_ms <= over_ms:
            if len(passed) == self.most_named:
                next_ms = self.ticks.next_ms(over_ms)
                break
            passed.append(next_ms)
            next_ms = self.ticks.next_ms(next_ms)
        self._wait_for(next_ms)
        if passed:
            self.listener.passed(passed, now_ms - passed[0])

    def clock_set_back(self) -> None:
        now_ms = self.now_ms()
        if self.next_ms is not None and self._last_ms is not None:
            usual_ms = self.next_ms - self._last_ms
            if self._last_ms - now_ms <= usual_ms:
                return
        self.start()

    def _wait_for(self, next_ms: int | None) -> None:
        self.next_ms = next_ms
        if next_ms is None:
            self.listener.ran_out()
        else:
            at = self.timetable.at_shared if self.is_shared else self.timetable.at_wall
            self._timer = at(next_ms, self)
