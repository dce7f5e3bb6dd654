"""TimeProbe: asks Redis for its time, so that distributed crons wake when it says so."""

import asyncio
import contextlib
import logging

from bullworks.redis import RedisError
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.journal.keys import NAMES
from bullworks.schedule.journal.recorder import Connect
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# Two clocks drift apart by some ms in that time; claims of frequent crons tell the time besides.
_EVERY_S = 60.0
# While Redis is away.
_RETRY_S = 5.0


class TimeProbe:
    """Asks Redis for its time, in one task of a process with distributed crons."""

    def __init__(self, connect: Connect, clock: SharedClock) -> None:
        self._connect = connect
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        """Ask once. Raises RedisError."""
        self._clock.doubted.clear()
        connection = await self._connect()
        asked_ms = self._clock.asked_ms()
        seconds, micros = await connection.execute("TIME", key=NAMES)  # on a Cluster any server will do
        self._clock.heard(int(seconds) * 1_000 + int(micros) // 1_000, asked_ms)

    def start(self) -> None:
        """Start asking from time to time, and when the clock is in doubt. Starting twice is fine."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="schedule-time")

    async def close(self) -> None:
        """Stop asking. Closing twice, or before starting, is fine."""
        task, self._task = self._task, None
        await cancel_and_wait(task)

    async def _run(self) -> None:
        pause_s = _EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._clock.doubted.wait()
            try:
                await self.ask()
                pause_s = _EVERY_S
            except RedisError as error:
                log.debug("the time of Redis is unknown: %s", error)
                pause_s = _RETRY_S
