"""saq with Redis; a job's `ttl` is -1, which removes it at once, unless completed jobs are kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from saq import Queue, Worker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async

_KEPT_S = 600  # saq's default


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    queue = Queue.from_url(order.url, name=order.queue)
    await queue.connect()
    ttl_s = _KEPT_S if order.keep else -1

    def add(data: dict[str, Any], priority: int) -> Awaitable[Any]:
        del priority
        return queue.enqueue("welcome-email", ttl=ttl_s, retries=2, mail=data)

    try:
        yield Producer(add)
    finally:
        await queue.disconnect()


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    async def task(context: dict[str, Any], *, mail: dict[str, Any]) -> None:
        del context
        await handle(mail)

    queue = Queue.from_url(order.url, name=order.queue)
    worker = Worker(queue, functions=[("welcome-email", task)], concurrency=order.concurrency)
    running = asyncio.create_task(worker.start())
    await done.wait()
    running.cancel()
    await asyncio.wait([running], timeout=5)


if __name__ == "__main__":
    hello("saq", "redis", "hiredis", "uvloop")
    if "worker" in sys.argv:
        work_async(work, uvloop_loop)
    else:
        produce(connect, uvloop_loop)
