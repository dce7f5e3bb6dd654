"""Taker: takes one job at a time for whoever processes jobs by hand."""

import asyncio
from collections.abc import Callable
from typing import Any

from bullworks.bullmq.job.job import Job
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.worker.intake import LIMITED
from bullworks.bullmq.worker.marker_wait import MarkerWait
from bullworks.redis import ConnectionLostError


class Taker:
    """Takes jobs by hand; needs no running worker, only its connections.

    A job whose fetch broke off may lie in `active` under its lock until that expires; a stalled check brings it back.

    Args:
        accepts_jobs: whether jobs may be taken now.
    """

    def __init__(self, scripts: Scripts, wait: MarkerWait, *, accepts_jobs: Callable[[], bool]) -> None:
        self._scripts = scripts
        self._wait = wait
        self._accepts_jobs = accepts_jobs
        # One connection can wait for one job at a time.
        self._turn = asyncio.Lock()

    async def take(self, token: str, *, block: bool) -> Job[Any, Any] | None:
        """Take the next job, locked with `token`; with `block`, wait for one."""
        if not self._accepts_jobs():
            return None
        job, state, due_ms = await self._scripts.fetch_one(token)
        # While the rate is limited, waiting would only take the marker from those who may go on.
        if job is not None or not block or state == LIMITED:
            return job
        async with self._turn:
            return await self._wait_for_one(token, None if due_ms < 0 else due_ms) if self._accepts_jobs() else None

    async def _wait_for_one(self, token: str, due_ms: int | None) -> Job[Any, Any] | None:
        try:
            marker = await self._wait.until_marked(due_ms)
            if self._accepts_jobs():
                job, _, _ = await self._scripts.fetch_one(token)
                return job
            if marker is not None:
                await self._wait.give_back(marker)
        except ConnectionLostError:
            if self._accepts_jobs():
                raise
        return None
