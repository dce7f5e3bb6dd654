"""Fleet: workers, producers and listeners of both languages on the same queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from bullworks.bullmq import Batch, Job, Queue, QueueEvents, Worker
from bullworks.bullmq.flow_producer import FlowProducer
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.waiting import eventually


class Fleet:
    """Node's part is told what to do; ours is here. Each run of a job, by whomever, is counted in a ledger in Redis."""

    def __init__(self, node: LineProcess, url: str, prefix: str) -> None:
        self._node = node
        self.url = url
        self.prefix = prefix
        self._ledger = f"{prefix}:ledger"
        self._queues: dict[str, Queue] = {}
        self._open = AsyncExitStack()
        self.flows = FlowProducer(connection=url, prefix=prefix)
        self.heard: dict[str, list[str]] = {}
        self.batches: list[int] = []

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self.flows)
        await self.node("connect", url=self.url, prefix=self.prefix)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.close()
        await self._open.aclose()

    async def node(self, command: str, **args: Any) -> Any:
        """Let Node do that; see tests/bullworks/node/fleet.mjs."""
        return await self._node.ask({"do": command, **args})

    async def queue(self, name: str) -> Queue:
        if name not in self._queues:
            queue = Queue(name, connection=self.url, prefix=self.prefix)
            self._queues[name] = await self._open.enter_async_context(queue)
        return self._queues[name]

    async def work(self, queue: str, *, name: str, concurrency: int) -> Worker:
        worker = Worker(
            queue, self._handle, connection=self.url, prefix=self.prefix, name=name, concurrency=concurrency
        )
        return await self._open.enter_async_context(worker)

    async def work_in_batches(self, queue: str, *, name: str, size: int) -> Worker:
        """As `work`, with many jobs a call."""

        async def handle(jobs: list[Job]) -> list[int | BaseException]:
            self.batches.append(len(jobs))
            return await asyncio.gather(*map(self._handle, jobs), return_exceptions=True)

        worker = Worker(
            queue, handle, connection=self.url, prefix=self.prefix, name=name, batch=Batch(size=size), concurrency=2
        )
        return await self._open.enter_async_context(worker)

    async def listen(self, queue: str, *events: str) -> None:
        """On both sides."""
        await self.node("listen", queue=queue, events=events)
        listener = QueueEvents(queue, connection=self.url, prefix=self.prefix)
        for event in events:
            listener.on(event, self._hears(self.heard.setdefault(event, [])))
        await self._open.enter_async_context(listener)

    @staticmethod
    def _hears(told: list[str]) -> Callable[[dict[str, Any]], None]:
        return lambda args: told.append(args.get("job_id", ""))

    async def until_ended(self, queue: str, jobs: int, *, within_s: float = 15.0) -> None:
        async def is_done() -> bool:
            return await (await self.queue(queue)).get_job_count_by_types("completed", "failed") == jobs

        await eventually(is_done, within_s=within_s, what=f"{jobs} jobs of {queue} to end")

    async def runs(self) -> dict[str, int]:
        """How often each job has run, by `<queue>:<id>`."""
        return await self._counts(self._ledger)

    async def runs_by_side(self) -> dict[str, int]:
        return await self._counts(f"{self._ledger}:by")

    async def command(self, *command: Any) -> Any:
        return await self._connection.execute(*command)

    @property
    def _connection(self) -> PipelinedConnection:
        return self.flows.connection

    async def _counts(self, key: str) -> dict[str, int]:
        flat = await self.command("HGETALL", key)
        return {name.decode(): int(count) for name, count in zip(flat[::2], flat[1::2], strict=True)}

    async def _handle(self, job: Job) -> int:
        """As tests/bullworks/node/fleet.mjs has it."""
        await asyncio.gather(
            self.command("HINCRBY", self._ledger, f"{job.queue_name}:{job.id}", 1),
            self.command("HINCRBY", f"{self._ledger}:by", "python", 1),
        )
        if job.attempts_started <= job.data.get("failures", 0):
            raise ValueError(f"failure {job.attempts_started}")
        values = await job.get_children_values()
        return sum(values.values(), job.data["n"])
