"""BullMQ's own port to Python, given a URL as its documentation shows, or (`--pool`) a client over a pool."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import redis.asyncio
from bullmq import Job, Queue, Worker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async


def options(order: Order) -> dict[str, Any]:
    if "--pool" not in sys.argv:
        return {"connection": order.url}
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        order.url, max_connections=2 * order.concurrency + 10, decode_responses=True
    )
    return {"connection": redis.asyncio.Redis(connection_pool=pool)}


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    queue = Queue(order.queue, options(order))
    kept = {} if order.keep else {"removeOnComplete": True}

    def add(data: dict[str, Any], priority: int) -> Awaitable[Any]:
        return queue.add("welcome-email", data, {**kept, "priority": priority} if priority else kept)

    def add_many(jobs: list[tuple[dict[str, Any], int]]) -> Awaitable[Any]:
        return queue.addBulk([{"name": "welcome-email", "data": data, "opts": kept} for data, _ in jobs])

    try:
        yield Producer(add, add_many)
    finally:
        await queue.close()


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    async def process(job: Job, token: str) -> None:
        del token
        await handle(job.data)

    worker = Worker(order.queue, process, {**options(order), "concurrency": order.concurrency})
    await done.wait()
    await worker.close(force=True)


if __name__ == "__main__":
    hello("bullmq", "redis", "hiredis", "uvloop")
    if "worker" in sys.argv:
        work_async(work, uvloop_loop)
    else:
        produce(connect, uvloop_loop)
