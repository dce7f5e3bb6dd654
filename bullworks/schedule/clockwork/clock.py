"""The two clocks: what the wall shows, and one that only ever goes forward."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A clock that can be waited on. Tests have one of their own."""

    def wall_ms(self) -> int:
        """Read the wall clock, ms since 1970; people and NTP may set it."""
        ...

    def steady_ms(self) -> int:
        """Read the steady clock, ms since an arbitrary moment; it is never set."""
        ...

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        """Wait until the event is set, or the time has passed."""


class SystemClock:
    """The machine's clock."""

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
