"""rq with its SimpleWorker, which runs jobs in its own process, one at a time: its usual worker forks for each."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import redis
from rq import Queue, SimpleWorker

from benchmarks.adapters.protocol import Order, Producer, hello, produce, work_in_threads

_KEPT_S = 500  # rq's default
_NAME = "benchmarks.adapters.rq.task"


class Handlers:
    """Jobs name a function of a module: it finds the worker's handler here."""

    current: Callable[[dict[str, Any]], None]


def task(data: dict[str, Any]) -> None:
    Handlers.current(data)


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    with redis.Redis.from_url(order.url) as client:
        queue = Queue(order.queue, connection=client)
        kept_s = _KEPT_S if order.keep else 0

        async def add(data: dict[str, Any], priority: int) -> None:
            del priority
            queue.enqueue(_NAME, data, result_ttl=kept_s)

        async def add_many(jobs: list[tuple[dict[str, Any], int]]) -> None:
            queue.enqueue_many([Queue.prepare_data(_NAME, (data,), result_ttl=kept_s) for data, _ in jobs])

        yield Producer(add, add_many)


def work(order: Order, handle: Callable[[dict[str, Any]], None]) -> None:
    # this file runs as __main__, and jobs look for it under its own name
    sys.modules["benchmarks.adapters.rq"] = sys.modules["__main__"]
    Handlers.current = handle
    SimpleWorker([order.queue], connection=redis.Redis.from_url(order.url)).work(logging_level="ERROR")


if __name__ == "__main__":
    hello("rq", "redis", "hiredis")
    if "worker" in sys.argv:
        work_in_threads(work)
    else:
        produce(connect)
