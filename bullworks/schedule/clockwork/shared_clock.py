"""SharedClock: the one clock that all processes of a fleet go by, that of Redis."""

import asyncio
import logging
from collections.abc import Callable

from bullworks.schedule.clockwork.clock import Clock

log = logging.getLogger(__name__)

# The machine's own clock is off by so much: said, since crons that are not distributed go by it.
_NOTICEABLE_MS = 500
_SAID_EVERY_MS = 60 * 60 * 1000


class SharedClock:
    """An estimate of Redis's clock, from its last answers and the steady clock since.

    Each answer sets bounds: Redis read its clock after it was asked, and before the answer came. What is thought of its
    clock moves only as far as these demand, so that a slow answer moves nothing. Until the first answer it is taken to
    show what the machine's clock shows.

    Attributes:
        moved: called when it shows something else than it did.
        doubted: set when the machine slept, or its clock was set: Redis should be asked at once.
    """

    def __init__(self, clock: Clock, moved: Callable[[], object] = lambda: None) -> None:
        self.moved = moved
        self.doubted = asyncio.Event()
        self._clock = clock
        self._ahead_ms: int | None = None
        self._said_at_ms: int | None = None

    def now_ms(self) -> int:
        """Read the estimated time, ms since 1970."""
        return self._clock.wall_ms() if self._ahead_ms is None else self._clock.steady_ms() + self._ahead_ms

    def asked_ms(self) -> int:
        """The moment at which Redis is asked, to be passed to `heard`."""
        return self._clock.steady_ms()

    def heard(self, shown_ms: int, asked_ms: int) -> None:
        """Record the time that Redis reported when asked at a given moment."""
        now_ms, before_ms = self._clock.steady_ms(), self._ahead_ms
        least_ms, most_ms = shown_ms - now_ms, shown_ms + 1 - asked_ms
        wanted_ms = (least_ms + most_ms) // 2 if before_ms is None else before_ms
        self._ahead_ms = max(least_ms, min(wanted_ms, most_ms))
        if self._ahead_ms != before_ms:
            self.moved()
        self._compare(now_ms)

    def _compare(self, now_ms: int) -> None:
        """Say, once in an hour, that the machine's clock is off."""
        off_ms = self._clock.wall_ms() - self.now_ms()
        is_said = self._said_at_ms is not None and now_ms - self._said_at_ms < _SAID_EVERY_MS
        if abs(off_ms) >= _NOTICEABLE_MS and not is_said:
            self._said_at_ms = now_ms
            log.warning(
                "the clock of this machine is %.1f s %s that of Redis: distributed crons go by Redis, all others by "
                "this one; set both by NTP",
                abs(off_ms) / 1000,
                "ahead of" if off_ms > 0 else "behind",
                extra={"clock_off_ms": off_ms},
            )
