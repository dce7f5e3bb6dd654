"""Relay: moves rows of the outbox into their queues, one relay at a time in the fleet."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from bullworks.bullmq import Queue
from bullworks.bullmq.job.new_job import NewJob
from bullworks.outbox.database import Database, Run
from bullworks.outbox.listening import can_listen, listen
from bullworks.outbox.rows import OutboxRow, read_first, settle, take_gate
from bullworks.redis import Pace
from bullworks.redis.background import Background

log = logging.getLogger(__name__)

# As many as go to Redis in one trip.
_ROWS_A_BATCH = 250
# Another relay is at work, and may have looked before our row was there; it may not hear of that otherwise.
_BUSY_S = 0.05


class Relay:
    """Moves rows in order, at least once each; the queues drop what they were given before.

    On Postgres a lock of the transaction lets one relay work at a time. Nothing but efficiency hangs on it: each batch
    begins with the first row that is left, so relays side by side add the same rows in the same order. SQLite, where
    a lock would keep all others from writing, has none.

    Args:
        queues: by name; rows of others are left to a relay that has their queue.
        remember_ms: for how long a queue knows what it was given, ms.
        poll_ms: how often to look for rows of which nobody told, ms.
    """

    def __init__(self, database: Database, queues: Mapping[str, Queue[Any]], remember_ms: int, poll_ms: int) -> None:
        self._database = database
        self._queues = queues
        self._remember_ms = remember_ms
        self._poll_s = poll_ms / 1000
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moving = Background("outbox:relay", self._run)
        self._listening = Background("outbox:listener", self._listen)

    def start(self) -> None:
        """Start moving rows, in the running event loop; a second call does nothing."""
        self._loop = asyncio.get_running_loop()
        self._moving.start()
        if can_listen(self._database):
            self._listening.start()

    async def close(self) -> None:
        """End after the trip that is under way, or within it. Closing twice, or before starting, is fine."""
        await self._listening.close()
        await self._moving.close()
        self._loop = None

    def wake(self) -> None:
        """Look for rows at once; from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._woken.set)

    async def move(self) -> int | None:
        """Move one batch. Returns how many rows it had; None means another relay is at work.

        Raises:
            RedisError: Redis cannot be reached, or refused; the rows stay.
            SQLAlchemyError: the same for the database.
        """
        if self._database.is_postgres:
            async with self._database.begin() as run:
                if not await run(take_gate):
                    return None
                rows = await run(self._read)
                await self._settle(run, rows, await self._add(rows))
            return len(rows)
        async with self._database.begin() as run:
            rows = await run(self._read)
        refused = await self._add(rows)
        if rows:
            async with self._database.begin() as run:
                await self._settle(run, rows, refused)
        return len(rows)

    def _read(self, connection: Any) -> list[OutboxRow]:
        return read_first(connection, tuple(self._queues), _ROWS_A_BATCH)

    async def _add(self, rows: list[OutboxRow]) -> dict[OutboxRow, str]:
        """Add the rows' jobs, in order within each queue. Returns why some of them cannot be jobs."""
        jobs: dict[str, list[NewJob]] = {}
        refused: dict[OutboxRow, str] = {}
        for row in rows:
            try:
                jobs.setdefault(row.queue, []).append(row.job(self._remember_ms))
            except ValueError as error:
                refused[row] = str(error)
        for queue, those in jobs.items():
            await self._queues[queue].add_checked(those)
        return refused

    async def _settle(self, run: Run, rows: list[OutboxRow], refused: Mapping[OutboxRow, str]) -> None:
        for row, reason in refused.items():
            log.error("outbox row %s is passed over: %s", row.id, reason, extra={"queue": row.queue})
        if rows:
            await run(lambda connection: settle(connection, rows, refused))

    async def _run(self) -> None:
        pace = Pace(log, "outbox: moving rows")
        while True:
            self._woken.clear()
            try:
                moved = await self.move()
            except Exception as error:  # noqa: BLE001 - whatever database and Redis raise, the rows stay and so does it
                await pace.wait(error)
                continue
            pace.reset()
            if moved is None:
                await asyncio.sleep(_BUSY_S)
            elif moved < _ROWS_A_BATCH:
                await self._until_woken()

    async def _until_woken(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _listen(self) -> None:
        pace = Pace(log, "outbox: listening to Postgres")
        while True:
            try:
                await listen(self._database, self._woken.set)
            except Exception as error:  # noqa: BLE001 - polling goes on meanwhile
                await pace.wait(error)
