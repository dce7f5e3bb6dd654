"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

# A Wednesday at noon, far from any change of a clock.
NOON_MS = int(datetime(2026, 7, 15, 12, 0, tzinfo=UTC).timestamp() * 1000)
# Enough turns of the loop for whatever was woken to have done what it does.
_TURNS = 30


class FakeClock:
    """Two clocks that go on together, and of which the wall's can be set."""

    def __init__(self, wall_ms: int = NOON_MS) -> None:
        self._wall_ms = wall_ms
        self._steady_ms = 5_000_000
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def wall_ms(self) -> int:
        return self._wall_ms

    def steady_ms(self) -> int:
        return self._steady_ms

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        if event.is_set() or timeout_s <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._steady_ms + math.ceil(timeout_s * 1000), woken))
        told = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({woken, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            woken.cancel()

    async def advance(self, ms: int) -> None:
        """Let time pass, stopping wherever somebody wants to be woken."""
        end_ms = self._steady_ms + ms
        await settled()
        while True:
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]
            next_ms = min((deadline_ms for deadline_ms, _ in self._sleepers), default=end_ms)
            step_ms = max(0, min(next_ms, end_ms) - self._steady_ms)
            self._move(step_ms)
            for deadline_ms, woken in self._sleepers:
                if deadline_ms <= self._steady_ms and not woken.done():
                    woken.set_result(None)
            await settled()
            if self._steady_ms >= end_ms:
                return

    async def stall(self, ms: int) -> None:
        """Time passes while nothing can run, as when something blocks the event loop."""
        await settled()
        self._move(ms)
        await self.advance(0)

    def stall_now(self, ms: int) -> None:
        """The same in the midst of whatever is going on."""
        self._move(ms)

    def set_wall(self, by_ms: int) -> None:
        """Somebody sets the clock on the wall."""
        self._wall_ms += by_ms

    def _move(self, ms: int) -> None:
        self._wall_ms += ms
        self._steady_ms += ms


async def settled() -> None:
    """Whatever can run now has run."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
