"""Fetcher: while there is nothing to do, waits on the marker and takes what comes, in one trip."""

import asyncio
import logging
from collections.abc import Callable

from app.bullmq.worker.intake import Intake
from app.bullmq.worker.pace import Pace
from app.bullmq.worker.wakeup import Wakeup
from app.bullmq.worker_scripts import Fetched, WorkerScripts
from app.redis.errors import ConnectionLostError, RedisError
from app.redis.pipelined import PipelinedConnection

log = logging.getLogger(__name__)


class Fetcher:
    """The one waiter of a worker; idle slots never poll.

    Args:
        connection: its own, since it blocks.
        commands: another, over which its wait is ended.
        longest_block_ms: a wait at most; a marker that was lost with its taker costs so long.
    """

    def __init__(
        self,
        scripts: WorkerScripts,
        intake: Intake,
        connection: PipelinedConnection,
        commands: PipelinedConnection,
        *,
        new_token: Callable[[], str],
        on_fetched: Callable[[Fetched, str], None],
        on_lost_fetch: Callable[[str], None],
        on_change: Callable[[], None],
        longest_block_ms: int,
        queue_name: str,
    ) -> None:
        self._scripts = scripts
        self._intake = intake
        self._connection = connection
        self._commands = commands
        self._new_token = new_token
        self._on_fetched = on_fetched
        self._on_lost_fetch = on_lost_fetch
        self._on_change = on_change
        self._longest_block_ms = longest_block_ms
        self._queue_name = queue_name
        self._wakeup = Wakeup()
        self._task: asyncio.Task[None] | None = None
        self._client_id: int | None = None
        self._is_waiting = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._pace = Pace(log, f"queue {queue_name}: waiting for jobs")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"fetcher:{self._queue_name}")

    def wake(self) -> None:
        """Something has changed: look again whether to wait for jobs."""
        self._wakeup.set()

    async def interrupt(self, timeout_s: float) -> None:
        """End a wait under way, keeping what it fetched; the intake is shut already, so none follows.

        The fetch behind the wait runs even then, so its reply is awaited. Past the timeout the connection is
        dropped, and what it may have fetched counts as lost.
        """
        if not self._is_waiting:
            return
        try:
            async with asyncio.timeout(timeout_s):
                if self._client_id is not None:
                    await self._commands.execute("CLIENT", "UNBLOCK", self._client_id)
                await self._settled.wait()
        except (TimeoutError, RedisError):
            self._connection.drop("its wait could not be ended in time")
            await asyncio.wait([asyncio.ensure_future(self._settled.wait())], timeout=1)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            want = 0 if self._intake.expects_work else self._intake.room()
            if want > 0:
                await self._wait_and_fetch(want)
            else:
                await self._wakeup.wait()

    async def _wait_and_fetch(self, want: int) -> None:
        intake = self._intake
        holds, token = intake.holds, self._new_token()
        intake.reserve(want)
        self._is_waiting = True
        self._settled.clear()
        try:
            fetched = await self._fetch(want, token, holds)
        except asyncio.CancelledError:
            intake.unanswered(want)
            raise
        except RedisError as error:
            intake.unanswered(want)
            if isinstance(error, ConnectionLostError):
                self._client_id = None  # the next connection has another
                self._on_lost_fetch(token)
            self._finished()
            self._on_change()
            await self._pace.wait(error)
        else:
            self._pace.reset()
            intake.answered(want, len(fetched.jobs) // 2, fetched.state, fetched.wait_ms)
            if fetched.jobs:
                self._on_fetched(fetched, token)
            self._finished()
            self._on_change()

    def _finished(self) -> None:
        self._is_waiting = False
        self._settled.set()

    async def _fetch(self, want: int, token: str, holds: int | str) -> Fetched:
        if not self._connection.is_connected or self._client_id is None:
            self._client_id = await self._connection.execute("CLIENT", "ID")
        due_ms = self._intake.next_due_ms
        block_ms = self._longest_block_ms if due_ms is None else min(due_ms, self._longest_block_ms)
        return await self._scripts.wait_and_fetch(block_ms, want, token, holds)
