"""The two clocks: what the wall shows, and one that only ever goes forward."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time, and waiting for it. Tests have one of their own."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, by a clock that people and NTP set."""
        ...

    def steady_ms(self) -> int:
        """Milliseconds since some moment, by a clock that nobody sets."""
        ...

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        """Return once the event is set, or after that time."""


class SystemClock:
    """The machine's."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
