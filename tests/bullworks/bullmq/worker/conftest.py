"""A queue of its own for each test, workers that are closed, and looks into Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bullworks.bullmq.queue.queue import Queue
from bullworks.bullmq.worker.worker import Worker
from tests.bullworks.waiting import eventually


class Bench:
    """A queue, the workers that a test starts on it, and what they left in Redis."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self.queue: Queue[Any] = Queue("work", connection=url, prefix=prefix)
        self.workers: list[Worker] = []

    def worker(self, process: Callable[..., Any], **options: Any) -> Worker:
        """A worker, not started yet, that is closed with the test."""
        worker = Worker("work", process, connection=self.url, prefix=self.prefix, **options)
        self.workers.append(worker)
        return worker

    async def command(self, *command: Any) -> Any:
        return await self.queue.connection.execute(*command)

    def key(self, suffix: str) -> str:
        return f"{self.prefix}:work:{suffix}"

    async def ids(self, state: str) -> list[str]:
        """The ids in a list or sorted set of the queue, in its order."""
        read = ("LRANGE" if state in {"wait", "active"} else "ZRANGE", self.key(state), 0, -1)
        return [job_id.decode() for job_id in await self.command(*read)]

    async def hash(self, job_id: str) -> dict[str, str]:
        flat = [part.decode(errors="replace") for part in await self.command("HGETALL", self.key(job_id))]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def events(self) -> list[dict[str, str]]:
        """The event stream, oldest first."""
        entries = await self.command("XRANGE", self.key("events"), "-", "+")
        flat = [[part.decode() for part in fields] for _, fields in entries]
        return [dict(zip(fields[::2], fields[1::2], strict=True)) for fields in flat]

    async def until_in(self, state: str, count: int, *, within_s: float = 10.0) -> list[str]:
        async def there() -> list[str] | None:
            ids = await self.ids(state)
            return ids if len(ids) >= count else None

        return await eventually(there, within_s=within_s, what=f"{count} jobs in {state}") or []

    async def blocked_in_redis(self) -> None:
        """Until a worker waits on the marker, in Redis."""
        name = self.queue.keys.client_name(None)

        async def is_blocked() -> bool:
            clients = (await self.command("CLIENT", "LIST")).decode().splitlines()
            return any(f"name={name}" in client and "cmd=bzpopmin" in client for client in clients)

        await eventually(is_blocked, what="a worker to wait on the marker")

    async def worker_idle(self) -> None:
        """Until nothing waits and nothing runs."""

        async def is_idle() -> bool:
            return not (await self.ids("wait") or await self.ids("active"))

        await eventually(is_idle, what="the queue to be drained")

    async def close(self) -> None:
        await asyncio.gather(*(worker.close(0) for worker in self.workers))
        await self.queue.close()


@pytest.fixture
async def bench(redis_url: str, key_prefix: str) -> AsyncIterator[Bench]:
    bench = Bench(redis_url, key_prefix)
    yield bench
    await bench.close()
