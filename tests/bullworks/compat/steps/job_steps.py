"""Steps about one job, as tests/bullworks/node/steps/jobs.mjs has them."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.steps.queue_steps import snake_state
from tests.bullworks.compat.steps.world import World, snake


class JobSteps(World):
    async def state(self, job_id: str) -> str:
        return await self.queue.get_job_state(job_id)

    async def read(self, job_id: str) -> dict[str, Any] | None:
        job = await self.queue.get_job(job_id)
        if job is None:
            return None
        return {
            "id": job.id,
            "name": job.name,
            "data": job.data,
            "progress": job.progress,
            "returnvalue": job.returnvalue,
            "attemptsMade": job.attempts_made,
            "attemptsStarted": job.attempts_started,
            "delay": job.delay,
            "priority": job.priority,
            "timestamp": job.timestamp,
            "failedReason": job.failed_reason,
            "processedOn": job.processed_on,
            "finishedOn": job.finished_on,
            "processedBy": job.processed_by,
            "stalledCounter": job.stalled_counter,
            "parentKey": job.parent_key,
            "deduplicationId": job.deduplication_id,
            "repeatJobKey": job.repeat_job_key,
            "deferredFailure": job.deferred_failure,
            "traces": len(job.stacktrace),
        }

    async def removeJob(self, job_id: str, opts: dict[str, Any] | None = None) -> None:
        await (await self.job(job_id)).remove(**snake(opts))

    async def retry(self, job_id: str, state: str = "failed", opts: dict[str, Any] | None = None) -> None:
        await (await self.job(job_id)).retry(state, **snake(opts))  # type: ignore[arg-type]

    async def promote(self, job_id: str) -> None:
        await (await self.job(job_id)).promote()

    async def progress(self, job_id: str, progress: Any) -> None:
        await (await self.job(job_id)).update_progress(progress)

    async def updateData(self, job_id: str, data: Any) -> None:
        await (await self.job(job_id)).update_data(data)

    async def log(self, job_id: str, row: str) -> int:
        return await (await self.job(job_id)).log(row)

    async def logs(self, job_id: str, start: int = 0, end: int = -1, asc: bool = True) -> dict[str, Any]:
        page = await self.queue.get_job_logs(job_id, start, end, asc)
        return {"logs": page.logs, "count": page.count}

    async def clearLogs(self, job_id: str, keep_logs: int = 0) -> None:
        await (await self.job(job_id)).clear_logs(keep_logs)

    async def changeDelay(self, job_id: str, delay: int) -> None:
        await (await self.job(job_id)).change_delay(delay)

    async def changePriority(self, job_id: str, opts: dict[str, Any]) -> None:
        await (await self.job(job_id)).change_priority(**opts)

    async def removeOwnDeduplicationKey(self, job_id: str) -> bool:
        return await (await self.job(job_id)).remove_deduplication_key()

    async def is_(self, job_id: str, state: str) -> bool:
        is_there: bool = await getattr(await self.job(job_id), f"is_{snake_state(state)}")()
        return is_there
