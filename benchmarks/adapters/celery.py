"""celery with Redis and a pool of threads: its only way to run many handlers in one process without monkey-patching."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from celery import Celery, Task

from benchmarks.adapters.protocol import Order, Producer, hello, ignore, produce, work_in_threads


def task_of(order: Order, function: Callable[[dict[str, Any]], None]) -> Task:
    application = Celery("bench", broker=order.url, backend=order.url if order.keep else None)
    application.conf.update(
        task_default_queue=order.queue,
        task_ignore_result=not order.keep,
        broker_connection_retry_on_startup=True,
        # what is printed is said to the runner
        worker_redirect_stdouts=False,
    )
    return application.task(name="welcome-email")(function)


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    task = task_of(order, ignore)

    async def add(data: dict[str, Any], priority: int) -> None:
        del priority
        task.delay(data)

    yield Producer(add)
    task.app.close()


def work(order: Order, handle: Callable[[dict[str, Any]], None]) -> None:
    task = task_of(order, handle)
    task.app.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={order.concurrency}",
            "--loglevel=ERROR",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    hello("celery", "kombu", "redis", "hiredis")
    if "worker" in sys.argv:
        work_in_threads(work)
    else:
        produce(connect)
