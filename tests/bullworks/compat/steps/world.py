"""World: the queues, workers and flow producer of one scenario, as tests/bullworks/node/world.mjs has them."""

from __future__ import annotations

import re
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from bullworks.bullmq import Job, JobNotFoundError, Queue, Worker
from bullworks.bullmq.flow_producer import FlowProducer

TOKEN = "token"


class World:
    """Made as its steps name them; closed with the scenario."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self.queues: dict[str, Queue] = {}
        self.workers: dict[str, Worker] = {}
        self.flows = FlowProducer(connection=url, prefix=prefix)
        self._held: dict[str, Job] = {}
        self._heard: list[list[str]] = []
        self._last: Job | None = None
        self._open = AsyncExitStack()
        self.queue: Queue

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self.flows)
        await self.use_queue("q")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def use_queue(self, name: str, options: dict[str, Any] | None = None) -> None:
        if name not in self.queues:
            queue = Queue(name, connection=self.url, prefix=self.prefix, **snake(options))
            self.queues[name] = await self._open.enter_async_context(queue)
            await queue.wait_until_ready()
        self.queue = self.queues[name]

    async def worker_by_hand(self, options: dict[str, Any] | None = None) -> Worker:
        """The worker that takes jobs of the present queue; `options` make a new one."""
        name = self.queue.name
        if options is not None or name not in self.workers:
            given = {"name": "worker-1", **snake(options)}
            worker = Worker(name, None, connection=self.url, prefix=self.prefix, **given)
            worker.on("active", lambda job, prev: self._heard.append(["active", job.id, prev]))
            self.workers[name] = await self._open.enter_async_context(worker)
        return self.workers[name]

    async def job(self, job_id: str) -> Job:
        job = await self.queue.get_job(job_id)
        if job is None:
            raise JobNotFoundError(job_id, "a step")
        return job

    def taken(self, job_id: str | None) -> Job:
        """The job that was taken last, or the one of that id, which may be gone by now."""
        job = self._held[job_id] if job_id else self._last
        assert job is not None, "the scenario has taken no job"
        return job

    def hold(self, job: Job | None) -> str | None:
        if job is None:
            return None
        self._held[job.id] = self._last = job
        return job.id


def snake(value: Any) -> Any:
    """Options by our names, at every level; None counts as no options."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {_snake_name(name): snake(part) for name, part in value.items() if part is not None}
    return [snake(part) for part in value] if isinstance(value, list) else value


def dated(value: Any) -> Any:
    """{"now": ms} in a step's arguments is a time so far from now."""
    if isinstance(value, list):
        return [dated(part) for part in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["now"]:
        return int(time.time() * 1000) + value["now"]
    return {name: dated(part) for name, part in value.items()}


def _snake_name(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
