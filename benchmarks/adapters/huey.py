"""huey with Redis and threads; results are stored where completed jobs are kept."""

import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from huey import RedisHuey
from huey.api import TaskWrapper

from benchmarks.adapters.protocol import Order, Producer, hello, ignore, produce, work_in_threads


def task_of(order: Order, function: Callable[[dict[str, Any]], Any]) -> TaskWrapper:
    huey = RedisHuey(order.queue, url=order.url, results=order.keep, store_none=order.keep)
    return huey.task(name="welcome-email")(function)


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    task = task_of(order, ignore)

    async def add(data: dict[str, Any], priority: int) -> None:
        del priority
        task(data)

    yield Producer(add)


def work(order: Order, handle: Callable[[dict[str, Any]], None]) -> None:
    logging.getLogger("huey").setLevel(logging.ERROR)
    task = task_of(order, handle)
    task.huey.create_consumer(workers=order.concurrency, periodic=False).run()


if __name__ == "__main__":
    hello("huey", "redis", "hiredis")
    if "worker" in sys.argv:
        work_in_threads(work)
    else:
        produce(connect)
