"""Fetcher: while there is nothing to do, waits until there may be, and has the finisher ask for jobs then."""

import logging

from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.marker_wait import WorkWait
from bullworks.bullmq.worker.reporter import Reporter
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.bullmq.worker.wakeup import Wakeup
from bullworks.redis import Pace, RedisError

log = logging.getLogger(__name__)


class Fetcher:
    """Fetches jobs for all slots of a worker; idle slots never poll.

    Its wait binds no job: Redis gives a waiter that died or froze a marker at most, and another one wakes by itself.
    """

    def __init__(self, wait: WorkWait, intake: Intake, reporter: Reporter, supervisor: Supervisor) -> None:
        self._wait = wait
        self._intake = intake
        self._reporter = reporter
        self._wakeup = Wakeup()
        self._loop = supervisor.background("fetcher", self._run)
        self._pace = Pace(log, f"queue {supervisor.queue_name}: waiting for jobs")

    def start(self) -> None:
        self._loop.start()

    def wake(self) -> None:
        """Check again whether to wait for jobs, because something changed."""
        self._wakeup.set()

    async def close(self) -> None:
        await self._loop.close()

    async def _run(self) -> None:
        intake = self._intake
        while True:
            if intake.expects_work or intake.room() == 0:
                await self._wakeup.wait()
                continue
            if intake.went_idle():
                self._reporter.drained()
            try:
                marker = await self._wait.until_marked(intake.next_due_ms)
                if marker is not None and not intake.is_open:
                    await self._wait.give_back(marker)
            except RedisError as error:
                await self._pace.wait(error)
            else:
                self._pace.reset()
            # Also after a wait that nothing ended, or that failed: a marker may have gone to a waiter that is dead.
            intake.look_again()
