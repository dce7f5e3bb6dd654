"""taskiq with a Redis stream, its broker that acknowledges; results in Redis where completed jobs are kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from taskiq.api import run_receiver_task
from taskiq.serializers import ORJSONSerializer
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async


def broker_of(order: Order) -> RedisStreamBroker:
    # "0": jobs that were added before the first worker came are its too
    broker = RedisStreamBroker(order.url, queue_name=order.queue, consumer_id="0").with_serializer(ORJSONSerializer())
    return broker.with_result_backend(RedisAsyncResultBackend(order.url)) if order.keep else broker


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    broker = broker_of(order)

    @broker.task(task_name="welcome-email")
    async def task(data: dict[str, Any]) -> None: ...

    def add(data: dict[str, Any], priority: int) -> Awaitable[Any]:
        del priority
        return task.kiq(data)

    await broker.startup()
    try:
        yield Producer(add)
    finally:
        await broker.shutdown()


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    broker = broker_of(order)

    @broker.task(task_name="welcome-email")
    async def task(data: dict[str, Any]) -> None:
        await handle(data)

    receiver = asyncio.create_task(
        run_receiver_task(broker, max_async_tasks=order.concurrency, validate_params=False, run_startup=True)
    )
    await done.wait()
    receiver.cancel()
    await asyncio.wait([receiver], timeout=5)


if __name__ == "__main__":
    hello("taskiq", "taskiq-redis", "redis", "hiredis", "uvloop")
    if "worker" in sys.argv:
        work_async(work, uvloop_loop)
    else:
        produce(connect, uvloop_loop)
