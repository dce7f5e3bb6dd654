"""MarkerWait: waits on the marker and takes what comes, until somebody ends the wait."""

import asyncio
from contextlib import suppress

from bullworks.bullmq.scripts.worker import Fetched, WorkerScripts
from bullworks.redis.errors import RedisError
from bullworks.redis.pipelined import PipelinedConnection

# CLIENT UNBLOCK goes over another connection than the command it ends, and may reach Redis before it.
_UNBLOCK_AGAIN_S = 0.05


class MarkerWait:
    """One wait at a time, over a connection of its own.

    Args:
        blocking: waits.
        commands: another, over which a wait is ended.
        longest_block_ms: a wait at most; a marker that was lost with its taker costs so long.
    """

    def __init__(
        self,
        scripts: WorkerScripts,
        blocking: PipelinedConnection,
        commands: PipelinedConnection,
        *,
        longest_block_ms: int,
    ) -> None:
        self._scripts = scripts
        self._blocking = blocking
        self._commands = commands
        self._longest_block_ms = longest_block_ms
        self._client_id: int | None = None
        self._generation = 0
        self._is_over = asyncio.Event()
        self._is_over.set()

    async def fetch(self, due_ms: int | None, want: int, token: str, holds: int | str) -> Fetched:
        """Up to `want` jobs, once there is one, or the next delayed one is due, in `due_ms`.

        Raises:
            ConnectionLostError: what Redis took for it, if anything, lies in `active` under `token`.
            ServerError: Redis refused.
        """
        block_ms = self._longest_block_ms if due_ms is None else min(due_ms, self._longest_block_ms)
        self._is_over.clear()
        try:
            if not self._blocking.is_connected or self._generation != self._blocking.generation:
                self._client_id = None
                self._client_id = await self._blocking.execute("CLIENT", "ID")
                self._generation = self._blocking.generation
            return await self._scripts.wait_and_fetch(block_ms, want, token, holds)
        finally:
            self._is_over.set()

    async def interrupt(self, timeout_s: float) -> None:
        """End a wait under way; who waits still gets what came. The caller sees to it that none follows.

        The fetch behind the wait runs even then, so its reply is awaited. Past the timeout the connection is
        dropped, and what it may have fetched counts as lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self._is_over.is_set():
                    if self._client_id is not None:
                        await self._commands.execute("CLIENT", "UNBLOCK", self._client_id)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._is_over.wait(), _UNBLOCK_AGAIN_S)
        except (TimeoutError, RedisError):
            self._blocking.drop("its wait could not be ended in time")
