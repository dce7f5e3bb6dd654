"""Timers: waits by one clock, the soonest first."""

import heapq
import itertools
from typing import Protocol


class TimerTarget(Protocol):
    """An object that waits for a time."""

    def fire(self, due_ms: int) -> None:
        """Start the work that is due, without blocking."""

    def rearm(self) -> None:
        """Set the next time, after everything due at the same time has started."""

    def clock_set_back(self) -> None:
        """Handle that the wall clock was set back."""


class Timer:
    """One pending wait; useless once cancelled or fired."""

    __slots__ = ("due_ms", "is_over", "timed", "timers")

    def __init__(self, due_ms: int, timed: TimerTarget, timers: "Timers") -> None:
        self.due_ms = due_ms
        self.timed = timed
        self.timers = timers
        self.is_over = False

    def cancel(self) -> None:
        """Cancel the wait; fine if it has fired."""
        if not self.is_over:
            self.is_over = True
            self.timers.forget_one()


class Timers:
    """A heap of timers. A cancelled timer stays in it until it comes up, or until most are cancelled."""

    __slots__ = ("_cancelled", "_heap", "_numbers")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._numbers = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def push(self, due_ms: int, timed: TimerTarget) -> Timer:
        """Add a wait."""
        timer = Timer(due_ms, timed, self)
        heapq.heappush(self._heap, (due_ms, next(self._numbers), timer))
        return timer

    def forget_one(self) -> None:
        """Count a cancelled timer."""
        self._cancelled += 1
        if self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].is_over]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_due_ms(self) -> int | None:
        """The due time of the earliest timer."""
        while self._heap and self._heap[0][2].is_over:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int) -> list[Timer]:
        """Remove and return the due timers, in order."""
        due = []
        while (due_ms := self.next_due_ms()) is not None and due_ms <= now_ms:
            timer = heapq.heappop(self._heap)[2]
            timer.is_over = True
            due.append(timer)
        return due

    def waiting(self) -> list[Timer]:
        """List all waiting timers, in no particular order."""
        return [timer for _, _, timer in self._heap if not timer.is_over]
