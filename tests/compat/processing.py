"""The steps of tests/node/processing.mjs with ours: the same names, arguments and results."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from app.bullmq import (
    DelayedError,
    Job,
    Queue,
    QueueError,
    RateLimitError,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    Worker,
)
from tests.compat.node import Node
from tests.compat.scenario import QUEUE, Player, Step
from tests.waiting import eventually

TOKEN = "token"
_WORKER_OPTIONS = {
    "limiter": "limiter",
    "metrics": "metrics",
    "maxStartedAttempts": "max_started_attempts",
}
_LIMIT_NAMES = {"maxDataPoints": "max_data_points"}


async def in_node(node: Node, url: str, prefix: str, steps: list[Step]) -> list[Any]:
    """What npm bullmq answers to each step."""
    question = {"url": url, "prefix": prefix, "queue": QUEUE, "steps": steps}
    answers: list[Any] = await node.ask("processing.mjs", question)
    return answers


async def in_python(url: str, prefix: str, steps: list[Step]) -> list[Any]:
    """What we answer; an error counts as its being one, since the texts differ."""
    async with Queue(QUEUE, connection=url, prefix=prefix) as queue:
        await queue.wait_until_ready()
        player = ProcessingPlayer(queue, url, prefix)
        try:
            await player.byHand()
            return [await player.play(name, args) for name, *args in steps]
        finally:
            await player.by_hand.close()


def _options(options: dict[str, Any] | None) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in (options or {}).items():
        inner = {_LIMIT_NAMES.get(k, k): v for k, v in value.items()} if isinstance(value, dict) else value
        renamed[_WORKER_OPTIONS[name]] = inner
    return renamed


class ProcessingPlayer(Player):
    """Each method is a step."""

    by_hand: Worker
    held: Job

    def __init__(self, queue: Queue, url: str, prefix: str) -> None:
        super().__init__(queue)
        self._where: dict[str, Any] = {"connection": url, "prefix": prefix}
        self._has_worker = False

    async def byHand(self, options: dict[str, Any] | None = None) -> None:
        if self._has_worker:
            await self.by_hand.close()
        self.by_hand = Worker(QUEUE, None, name="worker-1", **self._where, **_options(options))
        self._has_worker = True

    async def addChild(self, parent: str, opts: dict[str, Any] | None = None) -> str:
        return await self.add("child", {}, {**(opts or {}), "parent": self._child_of(parent)})

    def _child_of(self, job_id: str) -> Any:
        return {"id": job_id, "queue": f"{self._where['prefix']}:{QUEUE}"}

    async def take(self, token: str = TOKEN) -> str | None:
        job = await self.by_hand.get_next_job(token, block=False)
        if job is None:
            return None
        self.held = job
        return job.id

    async def complete(self, value: Any, fetch_next: bool = False, token: str = TOKEN) -> Any:
        job = await self.held.move_to_completed(value, token, fetch_next=fetch_next)
        return job.id if job else None

    async def fail(self, reason: str, fetch_next: bool = False, token: str = TOKEN) -> Any:
        job = await self.held.move_to_failed(RuntimeError(reason), token, fetch_next=fetch_next)
        return job.id if job else None

    async def failForGood(self, reason: str) -> None:
        await self.held.move_to_failed(UnrecoverableError(reason), TOKEN)

    async def delayBy(self, ms: int, token: str = TOKEN) -> None:
        await self.held.move_to_delayed(_now_ms() + ms, token)

    async def toWait(self, token: str = TOKEN) -> None:
        await self.held.move_to_wait(token)

    async def toWaitingChildren(self, child: str | None = None, token: str = TOKEN) -> bool:
        return await self.held.move_to_waiting_children(token, child=self._child_of(child) if child else None)

    async def extendLock(self, ms: int, token: str = TOKEN) -> bool:
        return await self.held.extend_lock(token, ms)

    async def heldFields(self) -> dict[str, Any]:
        held = self.held
        return {
            "delay": held.delay,
            "attemptsMade": held.attempts_made,
            "failedReason": held.failed_reason,
            "returnvalue": held.returnvalue,
            "isFinished": held.finished_on is not None,
        }

    async def checkStalled(self) -> None:
        await self.by_hand.run_stalled_check()

    async def changePriority(self, job_id: str, opts: dict[str, Any]) -> None:
        await (await self._job(job_id)).change_priority(**opts)

    async def changeDelay(self, job_id: str, ms: int) -> None:
        await (await self._job(job_id)).change_delay(ms)

    async def promoteJobs(self, count: int = 1000) -> None:
        await self.queue.promote_jobs(count=count)

    async def obliterate(self, force: bool = False, count: int = 1000) -> None:
        await self.queue.obliterate(force=force, count=count)

    async def is_(self, job_id: str) -> list[bool]:
        job = await self._job(job_id)
        states = ("completed", "failed", "delayed", "active", "waiting", "waiting_children")
        return [await getattr(job, f"is_{state}")() for state in states]

    async def play(self, step: str, args: list[Any]) -> Any:
        return await super().play("is_" if step == "is" else step, args)

    async def rateLimit(self, ms: int) -> None:
        await self.queue.rate_limit(ms)

    async def workerRateLimit(self, ms: int) -> None:
        await self.by_hand.rate_limit(ms)

    async def limitTtl(self, max_jobs: int | None = None) -> Any:
        ttl_ms = await self.queue.get_rate_limit_ttl(max_jobs)
        return "some" if ttl_ms > 0 else ttl_ms

    async def removeRateLimitKey(self) -> bool:
        return await self.queue.remove_rate_limit_key()

    async def setGlobalRateLimit(self, max_jobs: int, duration: int) -> None:
        await self.queue.set_global_rate_limit(max_jobs, duration)

    async def getGlobalRateLimit(self) -> Any:
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
        known = {
            "paused": meta.is_paused,
            "concurrency": meta.concurrency,
            "max": limit and limit.max,
            "duration": limit and limit.duration_ms,
            "maxLenEvents": meta.max_len_events,
            **meta.other,
        }
        return {name: value for name, value in known.items() if value is not None}

    async def countByTypes(self, *states: Any) -> int:
        return await self.queue.get_job_count_by_types(*states)

    async def countsOfEach(self) -> list[int]:
        states = ("completed", "failed", "delayed", "active", "prioritized", "waiting", "waiting_children")
        return [await getattr(self.queue, f"get_{state}_count")() for state in states]

    async def delayedCount(self, timestamp: int | None = None) -> int:
        return await self.queue.get_delayed_count(timestamp)

    async def countsPerPriority(self, priorities: list[int]) -> dict[str, int]:
        counts = await self.queue.get_counts_per_priority(priorities)
        return {str(priority): count for priority, count in counts.items()}

    async def ranges(self, states: Any, start: int = 0, end: int = -1, asc: bool = False) -> list[str]:
        return await self.queue.get_ranges(states, start, end, asc)

    async def waitingChildren(self) -> list[str]:
        return [job.id for job in await self.queue.get_waiting_children()]

    async def metrics(self, kind: Any, start: int = 0, end: int = -1) -> dict[str, Any]:
        metrics = await self.queue.get_metrics(kind, start, end)
        return {
            "total": metrics.total,
            "prevTotal": metrics.prev_total,
            "data": metrics.data,
            "count": metrics.count,
        }

    async def agePoint(self, kind: str, ms: int) -> None:
        await self.queue.connection.execute("HINCRBY", self.queue.keys.of(f"metrics:{kind}"), "prevTS", -ms)

    async def prometheus(self, labels: dict[str, Any] | None = None) -> str:
        return await self.queue.export_prometheus_metrics(labels)

    async def updateJobProgress(self, job_id: str, progress: Any) -> None:
        await self.queue.update_job_progress(job_id, progress)

    async def addJobLog(self, job_id: str, row: str, keep: int = 0) -> int:
        return await self.queue.add_job_log(job_id, row, keep)

    async def clearLogs(self, job_id: str, keep: int = 0) -> None:
        await (await self._job(job_id)).clear_logs(keep)

    async def run(
        self, handler: str, options: dict[str, Any] | None = None, ended: int = 1, cancel: str | None = None
    ) -> None:
        async def process(job: Job, signal: Any) -> Any:
            if job.attempts_started > 1 and handler != "fails":
                return "done"
            return await getattr(self, f"_{handler}")(job, signal)

        worker = Worker(QUEUE, process, name="worker-1", skip_stalled_check=True, **self._where, **_options(options))
        async with worker:
            if cancel is not None:
                await eventually(lambda: worker.cancel_job(cancel, "enough"))
            await eventually(lambda: self._has_ended(ended), what=f"{ended} jobs to end")

    async def _has_ended(self, ended: int) -> bool:
        counts = await self.queue.get_job_counts()
        return counts["completed"] + counts["failed"] >= ended and counts["active"] == 0

    async def _plain(self, job: Job, signal: Any) -> str:
        return "done"

    async def _delays(self, job: Job, signal: Any) -> None:
        await job.move_to_delayed(_now_ms() + 50)
        raise DelayedError

    async def _waits(self, job: Job, signal: Any) -> None:
        await job.move_to_wait()
        raise WaitingError

    async def _limits(self, job: Job, signal: Any) -> None:
        await self.queue.rate_limit(60)
        raise RateLimitError

    async def _unrecoverable(self, job: Job, signal: Any) -> None:
        raise UnrecoverableError("never")

    async def _fails(self, job: Job, signal: Any) -> None:
        raise QueueError("boom")

    async def _waitsForChildren(self, job: Job, signal: Any) -> str:
        if job.name == "child":
            return "child"
        await self.addChild(job.id, {"jobId": "child-1"})
        if await job.move_to_waiting_children():
            raise WaitingChildrenError
        return "no children"

    async def _watches(self, job: Job, signal: Any) -> None:
        reason = await asyncio.wait_for(signal.wait(), 5)
        raise RuntimeError(f"told: {reason}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
