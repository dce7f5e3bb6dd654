"""Fetcher: while there is nothing to do, waits on the marker and takes what comes, in one trip."""

import asyncio
import logging
from collections.abc import Callable

from bullworks.bullmq.scripts.worker import Fetched
from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.marker_wait import MarkerWait
from bullworks.bullmq.worker.wakeup import Wakeup
from bullworks.redis.errors import RedisError
from bullworks.redis.pace import Pace

log = logging.getLogger(__name__)


class Fetcher:
    """The one waiter of a worker; idle slots never poll."""

    def __init__(
        self,
        wait: MarkerWait,
        intake: Intake,
        *,
        new_token: Callable[[], str],
        on_fetched: Callable[[Fetched, str], None],
        on_lost_fetch: Callable[[str], None],
        on_change: Callable[[], None],
        queue_name: str,
    ) -> None:
        self._wait = wait
        self._intake = intake
        self._new_token = new_token
        self._on_fetched = on_fetched
        self._on_lost_fetch = on_lost_fetch
        self._on_change = on_change
        self._queue_name = queue_name
        self._wakeup = Wakeup()
        self._task: asyncio.Task[None] | None = None
        self._pace = Pace(log, f"queue {queue_name}: waiting for jobs")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"fetcher:{self._queue_name}")

    def wake(self) -> None:
        """Something has changed: look again whether to wait for jobs."""
        self._wakeup.set()

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
        try:
            fetched = await self._wait.fetch(intake.next_due_ms, want, token, holds)
        except asyncio.CancelledError:
            intake.unanswered(want)
            raise
        except RedisError as error:
            intake.unanswered(want)
            # Also where the script itself broke off: it may have taken jobs first.
            self._on_lost_fetch(token)
            self._on_change()
            await self._pace.wait(error)
        else:
            self._pace.reset()
            intake.answered(want, len(fetched.jobs) // 2, fetched.state, fetched.wait_ms)
            if fetched.jobs:
                self._on_fetched(fetched, token)
            self._on_change()
