"""dramatiq with Redis: handlers run in threads; results are stored where completed jobs are kept."""

import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.adapters.protocol import Order, Producer, hello, ignore, produce, work_in_threads


def actor_of(order: Order, function: Callable[[dict[str, Any]], Any]) -> dramatiq.Actor[Any, Any]:
    broker = RedisBroker(url=order.url)
    if order.keep:
        broker.add_middleware(Results(backend=RedisBackend(url=order.url)))
    extra = {"store_results": True} if order.keep else {}
    return dramatiq.actor(function, actor_name="welcome-email", queue_name=order.queue, broker=broker, **extra)


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    actor = actor_of(order, ignore)

    async def add(data: dict[str, Any], priority: int) -> None:
        del priority
        actor.send(data)

    yield Producer(add)
    actor.broker.close()


def work(order: Order, handle: Callable[[dict[str, Any]], None]) -> None:
    # a result of None is warned of, once a job
    actor = actor_of(order, lambda data: handle(data) or True)
    worker = dramatiq.Worker(actor.broker, worker_threads=order.concurrency)
    worker.start()
    threading.Event().wait()


if __name__ == "__main__":
    hello("dramatiq", "redis", "hiredis")
    if "worker" in sys.argv:
        work_in_threads(work)
    else:
        produce(connect)
