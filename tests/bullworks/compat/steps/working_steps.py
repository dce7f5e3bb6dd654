"""A real worker, as tests/bullworks/node/steps/working.mjs has it: what its handler does stands in the job."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bullworks.bullmq import (
    DelayedError,
    Job,
    RateLimitError,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    Worker,
)
from tests.bullworks.compat.steps.world import World, snake

DEADLINE_S = 8.0
_POLL_S = 0.003


class WorkingSteps(World):
    async def work(self, options: dict[str, Any], until: list[list[str]]) -> None:
        """Work until each job is in its state: [[id, state], ...], or [queue, id, state]; `over`: it has ended.

        Args:
            options: the worker's; and `backoffs`, what its strategy answers, `cancel`, a job to cancel once it runs.
        """
        given = snake(options)
        backoffs, cancelled = given.pop("backoffs", None), given.pop("cancel", None)
        if backoffs is not None:
            given["backoff_strategy"] = lambda attempts_made, *_: backoffs[attempts_made - 1]
        worker = Worker(
            self.queue.name, self._handle, connection=self.url, prefix=self.prefix, name="worker-1", **given
        )
        async with worker, asyncio.timeout(DEADLINE_S):
            while cancelled is not None and not worker.cancel_job(cancelled, "enough"):
                await asyncio.sleep(_POLL_S)
            for aim in until:
                *queue, job_id, state = aim
                name = queue[0] if queue else self.queue.name
                wanted = {"completed", "failed"} if state == "over" else {state}
                while await self.queues[name].get_job_state(job_id) not in wanted:
                    await asyncio.sleep(_POLL_S)
        # Who waits for work takes the marker: whether it closed before or after that is chance.
        await self.queue.connection.execute("DEL", self.queue.keys.of("marker"))

    async def _handle(self, job: Job) -> Any:
        acts = job.data.get("acts", []) if isinstance(job.data, dict) else []
        for verb, *argument in acts[job.attempts_started - 1] if job.attempts_started <= len(acts) else ():
            if verb == "return":
                return argument[0] if argument else None
            await getattr(self, f"_{verb}")(job, *argument)
        return job.name

    async def _throw(self, job: Job, message: str) -> None:
        raise Exception(message)

    async def _unrecoverable(self, job: Job, message: str) -> None:
        raise UnrecoverableError(message)

    async def _progress(self, job: Job, value: Any) -> None:
        await job.update_progress(value)

    async def _log(self, job: Job, row: str) -> None:
        await job.log(row)

    async def _updateData(self, job: Job, data: dict[str, Any]) -> None:
        await job.update_data({**job.data, **data})

    async def _redis(self, job: Job, command: list[Any]) -> None:
        await self.queue.connection.execute(*command)

    async def _removeSelf(self, job: Job) -> None:
        await self.queue.remove(job.id)

    async def _delay(self, job: Job, ms: int) -> None:
        await job.move_to_delayed(int(time.time() * 1000) + ms)
        raise DelayedError

    async def _wait(self, job: Job) -> None:
        await job.move_to_wait()
        raise WaitingError

    async def _waitForChildren(self, job: Job) -> None:
        if await job.move_to_waiting_children():
            raise WaitingChildrenError

    async def _stay(self, job: Job, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    async def _watch(self, job: Job) -> None:
        raise Exception(f"told: {await job.signal.wait()}")

    async def _rateLimit(self, job: Job, ms: int) -> None:
        await self.queue.rate_limit(ms)
        raise RateLimitError

    async def _child(self, job: Job, asked: list[Any]) -> None:
        queue, job_id, *opts = asked
        parent: Any = {"id": job.id, "queue": f"{self.prefix}:{job.queue_name}"}
        given = snake(opts[0]) if opts else {}
        await self.queues[queue].add(job_id, {}, job_id=job_id, parent=parent, **given)
