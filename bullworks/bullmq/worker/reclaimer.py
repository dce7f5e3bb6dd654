"""Reclaimer: brings back jobs that a fetch took whose reply was lost.

Such jobs lie in `active` under a lock of this worker, which does not know of them. Every fetch has a token of its
own, so the lost one's jobs are known by it: they return to the head of their lines, before anything else is taken.
"""

import asyncio
import logging
from contextlib import suppress

from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis import Pace, RedisError

log = logging.getLogger(__name__)

# Redis may run a lost fetch late: behind a black hole it notices only after the wait of the fetch is over.
_LOOK_AGAIN_S = 5.0
_LOOKS = 4


class Reclaimer:
    """Recovers jobs of fetches whose reply was lost; until then, nothing else may be fetched."""

    def __init__(self, scripts: Scripts, intake: Intake, supervisor: Supervisor) -> None:
        self._scripts = scripts
        self._intake = intake
        self._looks: dict[str, int] = {}
        self._is_urgent = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._hurry = asyncio.Event()
        self._loop = supervisor.background("reclaimer", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: reclaiming jobs of a lost fetch")

    def start(self) -> None:
        self._loop.start()

    def lost(self, token: str) -> None:
        """Note that the reply to the fetch with this token was lost."""
        self._looks[token] = _LOOKS
        self._is_urgent = True
        self._settled.clear()
        self._hurry.set()
        self._intake.hold_off()

    async def settle(self, timeout_s: float) -> None:
        """Wait until the last lost fetch was recovered."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_s)

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        while True:
            tokens = list(self._looks)
            self._hurry.clear()
            if not tokens:
                await self._hurry.wait()
                continue
            try:
                returned = await self._scripts.reclaim(tokens)
            except RedisError as error:
                await self._pace.wait(error)
                continue
            self._pace.reset()
            if returned:
                log.info(
                    "queue %s: %d jobs of a lost fetch are back in line",
                    self._scripts.keys.name,
                    len(returned),
                    extra={"queue": self._scripts.keys.name, "job_ids": returned[:100]},
                )
            for token in tokens:
                self._looks[token] -= 1
                if self._looks[token] <= 0:
                    del self._looks[token]
            if self._is_urgent and set(self._looks) <= set(tokens):
                self._is_urgent = False
                self._settled.set()
                self._intake.go_on()
            if self._looks and not self._is_urgent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _LOOK_AGAIN_S)
