"""The steps of tests/node/scenario.mjs with ours: the same names, arguments and results."""

from __future__ import annotations

from typing import Any

from app.bullmq import JobSpec, Queue, QueueError
from app.bullmq.job_scheduler import JobScheduler
from app.bullmq.next_iteration import store_next_iteration
from tests.bullmq.hand_worker import HandWorker
from tests.compat.node import Node

QUEUE = "q"
Step = list[Any]

_OPTION_NAMES = {
    "removeOnComplete": "remove_on_complete",
    "removeOnFail": "remove_on_fail",
    "jobId": "job_id",
    "keepLogs": "keep_logs",
    "stackTraceLimit": "stack_trace_limit",
    "sizeLimit": "size_limit",
    "resetAttemptsMade": "reset_attempts_made",
    "resetAttemptsStarted": "reset_attempts_started",
    "startDate": "start_date",
    "endDate": "end_date",
}
_SCHEDULER_NAMES = {
    "key": "key",
    "name": "name",
    "next": "next",
    "iterationCount": "iteration_count",
    "limit": "limit",
    "startDate": "start_date",
    "endDate": "end_date",
    "tz": "tz",
    "pattern": "pattern",
    "every": "every",
    "offset": "offset",
}


def _renamed(options: dict[str, Any] | None) -> dict[str, Any]:
    return {_OPTION_NAMES.get(name, name): value for name, value in (options or {}).items()}


def _scheduler_json(scheduler: JobScheduler | None) -> dict[str, Any] | None:
    if scheduler is None:
        return None
    fields = {theirs: getattr(scheduler, ours) for theirs, ours in _SCHEDULER_NAMES.items()}
    template = scheduler.template
    known = {name: value for name, value in fields.items() if value is not None}
    return {**known, "data": template.data, "attempts": template.opts.attempts}


async def in_node(node: Node, url: str, prefix: str, steps: list[Step]) -> list[Any]:
    """What npm bullmq answers to each step."""
    question = {"url": url, "prefix": prefix, "queue": QUEUE, "steps": steps}
    answers: list[Any] = await node.ask("scenario.mjs", question)
    return answers


async def in_python(url: str, prefix: str, steps: list[Step]) -> list[Any]:
    """What we answer; an error counts as its being one, since the texts differ."""
    async with Queue(QUEUE, connection=url, prefix=prefix) as queue:
        await queue.wait_until_ready()
        player = Player(queue)
        return [await player.play(name, args) for name, *args in steps]


class Player:
    """Each method is a step."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.worker = HandWorker(queue, name="worker-1", token="token")

    async def play(self, step: str, args: list[Any]) -> Any:
        try:
            return await getattr(self, step)(*args)
        except QueueError as error:
            return {"error": str(error)}

    async def _job(self, job_id: str) -> Any:
        job = await self.queue.get_job(job_id)
        if job is None:
            raise QueueError(f"no job {job_id}")
        return job

    async def add(self, name: str, data: Any, opts: dict[str, Any] | None = None) -> str:
        return (await self.queue.add(name, data, **_renamed(opts))).id  # type: ignore[arg-type]

    async def addBulk(self, jobs: list[dict[str, Any]]) -> list[str]:
        specs = [JobSpec(job["name"], job.get("data"), **_renamed(job.get("opts"))) for job in jobs]
        return [job.id for job in await self.queue.add_bulk(specs)]

    async def pause(self) -> None:
        await self.queue.pause()

    async def resume(self) -> None:
        await self.queue.resume()

    async def isPaused(self) -> bool:
        return await self.queue.is_paused()

    async def clean(self, grace: int, limit: int, state: Any) -> list[str]:
        return sorted(await self.queue.clean(grace, state, limit))

    async def drain(self, delayed: bool = False) -> None:
        await self.queue.drain(delayed)

    async def remove(self, job_id: str) -> bool:
        return await self.queue.remove(job_id)

    async def removeJob(self, job_id: str) -> None:
        await (await self._job(job_id)).remove()

    async def retry(self, job_id: str, state: str = "failed", opts: dict[str, Any] | None = None) -> None:
        await (await self._job(job_id)).retry(state, **_renamed(opts))

    async def retryJobs(self, state: Any) -> None:
        await self.queue.retry_jobs(state)

    async def promote(self, job_id: str) -> None:
        await (await self._job(job_id)).promote()

    async def progress(self, job_id: str, progress: Any) -> None:
        await (await self._job(job_id)).update_progress(progress)

    async def updateData(self, job_id: str, data: Any) -> None:
        await (await self._job(job_id)).update_data(data)

    async def log(self, job_id: str, row: str) -> int:
        count: int = await (await self._job(job_id)).log(row)
        return count

    async def logs(self, job_id: str, start: int = 0, end: int = -1, asc: bool = True) -> dict[str, Any]:
        page = await self.queue.get_job_logs(job_id, start, end, asc)
        return {"logs": page.logs, "count": page.count}

    async def state(self, job_id: str) -> str:
        return await self.queue.get_job_state(job_id)

    async def counts(self, *states: Any) -> dict[str, int]:
        return await self.queue.get_job_counts(*states)

    async def count(self) -> int:
        return await self.queue.count()

    async def jobs(self, states: Any, start: int = 0, end: int = -1, asc: bool = False) -> list[str]:
        return [job.id for job in await self.queue.get_jobs(states, start, end, asc)]

    async def listing(self, state: str) -> list[str]:
        return [job.id for job in await getattr(self.queue, f"get_{state.lower()}")()]

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
            "failedReason": job.failed_reason,
        }

    async def take(self) -> str | None:
        job_id = await self.worker.take()
        if job_id is not None:
            await store_next_iteration(self.queue.scripts, await self._job(job_id))
        return job_id

    async def complete(self, value: Any) -> None:
        await self.worker.complete(value)

    async def fail(self, reason: str) -> None:
        await self.worker.fail(reason)

    async def upsert(self, scheduler_id: str, repeat: dict[str, Any], template: dict[str, Any] | None = None) -> str:
        given = {**(template or {}), "opts": _renamed((template or {}).get("opts"))}
        job = await self.queue.upsert_job_scheduler(scheduler_id, await self._dated(repeat), given)  # type: ignore[arg-type]
        return job.id

    async def _dated(self, repeat: dict[str, Any]) -> Any:
        now_ms = await self.queue.scripts.now_ms()
        dated = _renamed({name: value for name, value in repeat.items() if not name.endswith("In")})
        if "startIn" in repeat:
            dated["start_date"] = now_ms + repeat["startIn"]
        if "endIn" in repeat:
            dated["end_date"] = now_ms + repeat["endIn"]
        if "offsetIn" in repeat:
            dated["offset"] = (now_ms + repeat["offsetIn"]) % repeat["every"]
        return dated

    async def scheduler(self, scheduler_id: str) -> dict[str, Any] | None:
        return _scheduler_json(await self.queue.get_job_scheduler(scheduler_id))

    async def schedulers(self, *page: Any) -> list[dict[str, Any] | None]:
        return [_scheduler_json(scheduler) for scheduler in await self.queue.get_job_schedulers(*page)]

    async def schedulersCount(self) -> int:
        return await self.queue.get_job_schedulers_count()

    async def removeScheduler(self, scheduler_id: str) -> bool:
        return await self.queue.remove_job_scheduler(scheduler_id)

    async def promoteNext(self) -> None:
        (job,) = await self.queue.get_delayed(0, 0)
        await job.promote()

    async def removeNext(self, state: str) -> None:
        (job,) = await getattr(self.queue, f"get_{state.lower()}")(0, 0)
        await job.remove()

    async def redis(self, *command: Any) -> None:
        await self.queue.connection.execute(*command)
