"""ScheduleKeeper: before a job scheduler's job runs, its next one is in Redis."""

import logging

from bullworks.bullmq.errors import QueueError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.scripts.next_iteration import store_next_iteration
from bullworks.bullmq.scripts.scheduler import SchedulerScripts
from bullworks.redis import Pace, RedisError, ServerError

log = logging.getLogger(__name__)


class ScheduleKeeper:
    """Stores a scheduler's next job before its present job ends, so that the scheduler never stops."""

    def __init__(self, scripts: SchedulerScripts, queue_name: str) -> None:
        self._scripts = scripts
        self._queue_name = queue_name
        self._pace = Pace(log, f"queue {queue_name}: storing the next job of a scheduler")

    async def keep(self, job: Job) -> None:
        """Wait until the job's successor is stored, however long Redis is away; returns at once for ordinary jobs.

        Where there can be none, because of what others wrote into Redis, that is logged, and the schedule ends.
        """
        while True:
            try:
                await store_next_iteration(self._scripts, job)
            except ServerError as error:
                if error.code == "WRONGTYPE":
                    self._give_up(job, error)
                    return
                await self._pace.wait(error)
            except RedisError as error:
                await self._pace.wait(error)
            except (QueueError, ValueError) as error:
                self._give_up(job, error)
                return
            else:
                self._pace.reset()
                return

    def _give_up(self, job: Job, error: Exception) -> None:
        log.error(
            "job %s: its scheduler %s makes no further jobs: %s; recreate it with upsert_job_scheduler",
            job.id,
            job.repeat_job_key,
            error,
            extra={"queue": self._queue_name, "job_id": job.id},
        )
