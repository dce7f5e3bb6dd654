"""QueueUpkeep: what an operator does to all jobs of a queue at once, or to one by its id."""

from bullworks.bullmq.errors import ActiveJobsError
from bullworks.bullmq.job.fields import Progress
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options import checks
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import payload

_LARGEST_CHUNK = 5_000


class QueueUpkeep:
    """The maintenance methods of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    keys: QueueKeys
    scripts: Scripts
    tracing: Tracing | None

    async def promote_jobs(self, *, count: int = 1_000) -> None:
        """Move all delayed jobs to wait, the earliest due first.

        Args:
            count: how many each step moves, 1 .. 5000.
        """
        options = payload.encode({"count": _chunk(count)}).decode()
        with trace(self.tracing, "promoteJobs", attributes={TelemetryAttributes.QUEUE_OPTIONS: options}):
            await self.scripts.promote_jobs(count)

    async def obliterate(self, *, force: bool = False, count: int = 1_000) -> None:
        """Remove the queue with its jobs, schedulers and events. It is paused first, and stays paused on failure.

        Args:
            force: also where workers run jobs; what these return is then refused.
            count: how many jobs each step removes, 1 .. 5000.

        Raises:
            ActiveJobsError: jobs are active; the queue is only paused.
        """
        with trace(self.tracing, "obliterate"):
            with trace(self.tracing, "pause"):
                await self.scripts.pause()
            if not await self.scripts.obliterate(_chunk(count), force=force):
                raise ActiveJobsError(self.keys.name)

    async def update_job_progress(self, job_id: str, progress: Progress) -> None:
        """Store a job's progress by id; see Job.update_progress."""
        encoded = payload.encode(progress)
        attributes = {TelemetryAttributes.JOB_ID: job_id, TelemetryAttributes.JOB_PROGRESS: encoded.decode()}
        with trace(self.tracing, "updateJobProgress", attributes=attributes):
            await self.scripts.update_progress(job_id, encoded)

    async def add_job_log(self, job_id: str, row: str, keep_logs: int = 0) -> int:
        """Append a line to a job's log. Returns the number of lines.

        Args:
            keep_logs: lines kept, the newest; 0 for all.

        Raises:
            JobNotFoundError: there is no such job.
        """
        return await self.scripts.add_log(job_id, row, keep_logs or None)

    async def clear_job_logs(self, job_id: str, keep_logs: int = 0) -> None:
        """Shorten a job's log by id; see Job.clear_logs."""
        await self.scripts.clear_logs(job_id, keep_logs)

    async def remove_orphaned_jobs(self, *, count: int = 1_000, limit: int = 0) -> int:
        """Remove leftovers of jobs that are in no state, as some versions of BullMQ 5 leave behind.

        Args:
            count: keys that each step looks at, about, 1 .. 5000; all keys of the database are looked at.
            limit: the most to remove; 0 for all.

        Returns:
            How many there were.
        """
        most = checks.whole("limit", limit)
        return await self.scripts.remove_orphans(_chunk(count), most or checks.LARGEST_WHOLE)

    async def remove_deprecated_priority_key(self) -> bool:
        """Remove the key `priority` that BullMQ 3 left behind. False if it does not exist."""
        return await self.scripts.remove_deprecated_priority_key()


def _chunk(count: object) -> int:
    return checks.whole("count", count, 1, _LARGEST_CHUNK)
