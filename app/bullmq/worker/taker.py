"""Taker: takes one job at a time for whoever processes jobs by hand."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.bullmq.job import Job
from app.bullmq.scripts import Scripts
from app.bullmq.worker.intake import LIMITED
from app.bullmq.worker_scripts import WorkerScripts
from app.redis.errors import ConnectionLostError, RedisError
from app.redis.pipelined import PipelinedConnection


class Taker:
    """Needs no running worker, only its connections.

    A job whose fetch broke off may lie in `active` under its lock until that expires; a stalled check brings it back.

    Args:
        blocking: waits for jobs; `commands` ends its wait.
        accepts_jobs: whether jobs may be taken now.
        longest_block_ms: a wait at most.
    """

    def __init__(
        self,
        scripts: Scripts,
        worker_scripts: WorkerScripts,
        blocking: PipelinedConnection,
        commands: PipelinedConnection,
        *,
        accepts_jobs: Callable[[], bool],
        longest_block_ms: int,
    ) -> None:
        self._scripts = scripts
        self._worker_scripts = worker_scripts
        self._blocking = blocking
        self._commands = commands
        self._accepts_jobs = accepts_jobs
        self._longest_block_ms = longest_block_ms
        # One connection can wait for one job at a time.
        self._turn = asyncio.Lock()
        self._client_id: int | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    async def take(self, token: str, *, block: bool) -> Job[Any, Any] | None:
        """The next job, locked with `token`; with `block`, wait for one."""
        if not self._accepts_jobs():
            return None
        job, state, due_ms = await self._scripts.fetch_one(token)
        # While the rate is limited, waiting would only take the marker from those who may go on.
        if job is not None or not block or state == LIMITED:
            return job
        async with self._turn:
            return await self._wait(token, due_ms) if self._accepts_jobs() else None

    async def interrupt(self, timeout_s: float) -> None:
        """End a wait under way; what it fetched is still returned to who waits. Jobs are not accepted any more."""
        if self._settled.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s):
                if self._client_id is not None:
                    await self._commands.execute("CLIENT", "UNBLOCK", self._client_id)
                await self._settled.wait()
        except (TimeoutError, RedisError):
            self._blocking.drop("its wait could not be ended in time")

    async def _wait(self, token: str, due_ms: int) -> Job[Any, Any] | None:
        block_ms = self._longest_block_ms if due_ms < 0 else min(due_ms, self._longest_block_ms)
        self._settled.clear()
        try:
            if not self._blocking.is_connected or self._client_id is None:
                self._client_id = await self._blocking.execute("CLIENT", "ID")
            fetched = await self._worker_scripts.wait_and_fetch(block_ms, 1, token, "")
        except ConnectionLostError:
            self._client_id = None  # the next connection has another
            if not self._accepts_jobs():
                return None
            raise
        finally:
            self._settled.set()
        if not fetched.jobs:
            return None
        return await self._scripts.received(fetched.jobs[0].decode(), fetched.jobs[1], token)
