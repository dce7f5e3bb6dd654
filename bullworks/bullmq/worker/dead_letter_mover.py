"""DeadLetterMover: moves the jobs that fail in a worker to the dead-letter queue, once their failure is stored."""

import asyncio
import logging
from collections import deque
from contextlib import suppress

from bullworks.bullmq.job.job import Job
from bullworks.bullmq.queue.dead_letters import DeadLetters
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.redis import Pace, RedisError

log = logging.getLogger(__name__)

# For what this worker did not see fail: jobs of npm workers, and of workers that died before they moved them.
_SWEEP_S = 60.0


class DeadLetterMover:
    """Moves each job that fails here at once, and all others when it starts and once a minute.

    What is left when it closes is moved by the next sweep, of any worker with the option.
    """

    def __init__(self, letters: DeadLetters, supervisor: Supervisor) -> None:
        self._letters = letters
        self._failed: deque[str] = deque()
        self._hurry = asyncio.Event()
        self._loop = supervisor.background("dead-letters", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: moving failed jobs to {letters.queue_name}")

    def start(self) -> None:
        """Start moving jobs until `close`; a second call does nothing."""
        self._loop.start()

    def failed(self, job: Job) -> None:
        """Move the job, unless it is to be tried again: a listener of the worker's event `failed`."""
        self._failed.append(job.id)
        self._hurry.set()

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        is_sweep = True
        while True:
            try:
                if is_sweep:
                    await self._letters.collect()
                while self._failed:
                    await self._letters.take(self._failed[0])
                    self._failed.popleft()
            except RedisError as error:
                await self._pace.wait(error)
                continue
            self._pace.reset()
            is_sweep = not await self._is_hurried()

    async def _is_hurried(self) -> bool:
        """Wait for a failed job; False if none came until the next sweep."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), _SWEEP_S)
        is_hurried = self._hurry.is_set()
        self._hurry.clear()
        return is_hurried
