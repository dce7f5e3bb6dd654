"""arq, as its documentation shows it; `keep_result` is 0 unless completed jobs are kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from arq import create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async

_KEPT_S = 3600  # arq's default


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    pool = await create_pool(RedisSettings.from_dsn(order.url), default_queue_name=order.queue)

    def add(data: dict[str, Any], priority: int) -> Awaitable[Any]:
        del priority
        return pool.enqueue_job("welcome-email", data)

    try:
        yield Producer(add)
    finally:
        await pool.aclose()


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    async def task(context: dict[Any, Any], data: dict[str, Any]) -> None:
        del context
        await handle(data)

    worker = Worker(
        [func(task, name="welcome-email")],
        queue_name=order.queue,
        redis_settings=RedisSettings.from_dsn(order.url),
        max_jobs=order.concurrency,
        keep_result=_KEPT_S if order.keep else 0,
        handle_signals=False,
    )
    running = asyncio.create_task(worker.async_run())
    await done.wait()
    running.cancel()
    await asyncio.wait([running], timeout=5)


if __name__ == "__main__":
    hello("arq", "redis", "hiredis", "uvloop")
    if "worker" in sys.argv:
        work_async(work, uvloop_loop)
    else:
        produce(connect, uvloop_loop)
