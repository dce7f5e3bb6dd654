"""MarkerWait: waits on the marker, until there may be work or somebody ends the wait."""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import Protocol

from bullworks.bullmq.scripts.worker import Marker, WorkerScripts
from bullworks.redis import PipelinedConnection, RedisError

# CLIENT UNBLOCK goes over another connection than the command it ends, and may reach Redis before it.
_UNBLOCK_AGAIN_S = 0.05


class WorkWait(Protocol):
    """A wait for work, of a worker that has nothing to do."""

    @abstractmethod
    async def until_marked(self, due_ms: int | None) -> Marker | None:
        """Wait until there may be work; the next delayed job is due in `due_ms`. Raises RedisError."""

    @abstractmethod
    async def give_back(self, marker: Marker) -> None:
        """Put a marker back for another worker. Raises RedisError."""


class MarkerWait(WorkWait):
    """Waits for a queue's marker over its own connection, one wait at a time.

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

    async def until_marked(self, due_ms: int | None) -> Marker | None:
        """Wait for a marker, or until the next delayed job is due, in `due_ms`; then there may be work.

        Returns:
            The marker, which is nobody else's now; None: there was none, and whoever waits should look all the same.

        Raises:
            ConnectionLostError: the connection broke.
            ServerError: Redis refused.
        """
        block_ms = self._longest_block_ms if due_ms is None else min(due_ms, self._longest_block_ms)
        self._is_over.clear()
        try:
            if not self._blocking.is_connected or self._generation != self._blocking.generation:
                self._client_id = None
                self._client_id = await self._blocking.execute("CLIENT", "ID")
                self._generation = self._blocking.generation
            return await self._scripts.wait_for_marker(block_ms)
        except asyncio.CancelledError:
            # Redis would go on waiting for it, and give a marker to nobody.
            self._blocking.let_go("its wait was cancelled")
            raise
        finally:
            self._is_over.set()

    async def give_back(self, marker: Marker) -> None:
        """Put a marker back for another worker, because this one takes no jobs now.

        Raises as `until_marked` does.
        """
        await self._scripts.mark(marker)

    async def interrupt(self, timeout_s: float) -> None:
        """End a wait in progress; its waiter still gets what arrived. The caller prevents another wait.

        Past the timeout the connection is dropped.
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
