"""Steps about a whole queue, as tests/bullworks/node/steps/queues.mjs and limits.mjs have them."""

from __future__ import annotations

import asyncio
from typing import Any

from bullworks.bullmq import JobSpec
from tests.bullworks.compat.steps.world import World, snake


class QueueSteps(World):
    async def use(self, name: str, options: dict[str, Any] | None = None) -> None:
        await self.use_queue(name, options)

    async def redis(self, *command: Any) -> None:
        await self.queue.connection.execute(*command)

    async def add(self, name: str, data: Any, opts: dict[str, Any] | None = None) -> str:
        return (await self.queue.add(name, data, **snake(opts))).id

    async def addBulk(self, jobs: list[dict[str, Any]]) -> list[str]:
        specs = [JobSpec(job["name"], job.get("data"), **snake(job.get("opts"))) for job in jobs]
        return [job.id for job in await self.queue.add_bulk(specs)]

    async def pause(self) -> None:
        await self.queue.pause()

    async def resume(self) -> None:
        await self.queue.resume()

    async def isPaused(self) -> bool:
        return await self.queue.is_paused()

    async def clean(self, grace: int, limit: int, state: Any) -> list[str]:
        return await self.queue.clean(grace, state, limit)

    async def drain(self, delayed: bool = False) -> None:
        await self.queue.drain(delayed)

    async def removeOrphanedJobs(self, count: int = 1_000, limit: int = 0) -> int:
        return await self.queue.remove_orphaned_jobs(count=count, limit=limit)

    async def obliterate(self, opts: dict[str, Any] | None = None) -> None:
        await self.queue.obliterate(**snake(opts))

    async def remove(self, job_id: str, opts: dict[str, Any] | None = None) -> bool:
        return await self.queue.remove(job_id, **snake(opts))

    async def retryJobs(self, state: Any, opts: dict[str, Any] | None = None) -> None:
        await self.queue.retry_jobs(state, **snake(opts))

    async def promoteJobs(self, opts: dict[str, Any] | None = None) -> None:
        await self.queue.promote_jobs(**snake(opts))

    async def trimEvents(self, length: int) -> int:
        return await self.queue.trim_events(length)

    async def counts(self, *states: Any) -> dict[str, int]:
        return await self.queue.get_job_counts(*states)

    async def countOf(self, *states: Any) -> int:
        return await self.queue.get_job_count_by_types(*states)

    async def count(self) -> int:
        return await self.queue.count()

    async def stateCounts(self) -> list[int]:
        queue = self.queue
        return list(
            await asyncio.gather(
                queue.get_waiting_count(),
                queue.get_active_count(),
                queue.get_prioritized_count(),
                queue.get_delayed_count(),
                queue.get_waiting_children_count(),
                queue.get_completed_count(),
                queue.get_failed_count(),
            )
        )

    async def delayedCount(self, timestamp: int | None = None) -> int:
        return await self.queue.get_delayed_count(timestamp)

    async def countsPerPriority(self, priorities: list[int]) -> dict[str, int]:
        counts = await self.queue.get_counts_per_priority(priorities)
        return {str(priority): count for priority, count in counts.items()}

    async def jobs(self, states: Any, start: int = 0, end: int = -1, asc: bool = False) -> list[str]:
        return [job.id for job in await self.queue.get_jobs(states, start, end, asc)]

    async def ranges(self, states: Any, start: int = 0, end: int = 1, asc: bool = False) -> list[str]:
        return await self.queue.get_ranges(states, start, end, asc)

    async def listing(self, state: str, start: int = 0, end: int = -1) -> list[str]:
        return [job.id for job in await getattr(self.queue, f"get_{snake_state(state)}")(start, end)]

    async def metrics(self, kind: Any, start: int = 0, end: int = -1) -> dict[str, Any]:
        metrics = await self.queue.get_metrics(kind, start, end)
        return {
            "total": metrics.total,
            "prevTotal": metrics.prev_total,
            "data": metrics.data,
            "points": metrics.count,
        }

    async def prometheus(self, labels: dict[str, str] | None = None) -> str:
        return await self.queue.export_prometheus_metrics(labels)

    async def workersCount(self) -> int:
        return await self.queue.get_workers_count()

    async def deduplicationJobId(self, deduplication_id: str) -> str | None:
        return await self.queue.get_deduplication_job_id(deduplication_id)

    async def removeDeduplicationKey(self, deduplication_id: str) -> bool:
        return await self.queue.remove_deduplication_key(deduplication_id)

    async def updateJobProgress(self, job_id: str, progress: Any) -> None:
        await self.queue.update_job_progress(job_id, progress)

    async def addJobLog(self, job_id: str, row: str, keep_logs: int = 0) -> int:
        return await self.queue.add_job_log(job_id, row, keep_logs)


class LimitSteps(World):
    async def rateLimit(self, ms: int) -> None:
        await self.queue.rate_limit(ms)

    async def workerRateLimit(self, ms: int) -> None:
        await (await self.worker_by_hand()).rate_limit(ms)

    async def rateLimitTtl(self, max_jobs: int | None = None) -> int | str:
        ttl_ms = await self.queue.get_rate_limit_ttl(max_jobs)
        return "> 0" if ttl_ms > 0 else ttl_ms

    async def removeRateLimitKey(self) -> bool:
        return await self.queue.remove_rate_limit_key()

    async def setGlobalRateLimit(self, max_jobs: int, duration: int) -> None:
        await self.queue.set_global_rate_limit(max_jobs, duration)

    async def getGlobalRateLimit(self) -> dict[str, int] | None:
        limit = await self.queue.get_global_rate_limit()
        return None if limit is None else {"max": limit.max, "duration": limit.duration_ms}

    async def removeGlobalRateLimit(self) -> bool:
        return await self.queue.remove_global_rate_limit()

    async def setGlobalConcurrency(self, concurrency: int) -> None:
        await self.queue.set_global_concurrency(concurrency)

    async def getGlobalConcurrency(self) -> int | None:
        return await self.queue.get_global_concurrency()

    async def removeGlobalConcurrency(self) -> bool:
        return await self.queue.remove_global_concurrency()

    async def isMaxed(self) -> bool:
        return await self.queue.is_maxed()

    async def meta(self) -> dict[str, Any]:
        meta = await self.queue.get_meta()
        limit = meta.rate_limit
        return {
            "paused": meta.is_paused,
            "concurrency": meta.concurrency,
            "max": limit.max if limit else None,
            "duration": limit.duration_ms if limit else None,
            "maxLenEvents": meta.max_len_events,
        }


def snake_state(state: str) -> str:
    """`WaitingChildren` -> `waiting_children`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in state).removeprefix("_")
