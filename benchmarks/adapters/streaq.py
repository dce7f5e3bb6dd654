"""streaq: streams in Redis; a result's `ttl` is 0 unless completed jobs are kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from streaq import Worker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async

_KEPT_S = 300  # streaq's default


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    worker: Worker[Any] = Worker(redis_url=order.url, queue_name=order.queue)

    @worker.task(name="welcome-email", ttl=_KEPT_S if order.keep else 0)
    async def task(data: dict[str, Any]) -> None: ...

    async def add(data: dict[str, Any], priority: int) -> None:
        del priority
        await task.enqueue(data)

    async def add_many(jobs: list[tuple[dict[str, Any], int]]) -> None:
        await worker.enqueue_many([task.enqueue(data) for data, _ in jobs])

    async with worker:
        yield Producer(add, add_many)


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    worker: Worker[Any] = Worker(
        redis_url=order.url, queue_name=order.queue, concurrency=order.concurrency, handle_signals=False
    )

    @worker.task(name="welcome-email", ttl=_KEPT_S if order.keep else 0)
    async def task(data: dict[str, Any]) -> None:
        await handle(data)

    running = asyncio.create_task(worker.run_async())
    await done.wait()
    running.cancel()
    await asyncio.wait([running], timeout=5)


if __name__ == "__main__":
    hello("streaq", "coredis", "hiredis", "uvloop")
    if "worker" in sys.argv:
        work_async(work, uvloop_loop)
    else:
        produce(connect, uvloop_loop)
