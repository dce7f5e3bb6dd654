"""Ourselves: with the standard library's json and loop, or (`--fast`) with the extra `fast`."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.adapters.protocol import Order, Producer, hello, produce, uvloop_loop, work_async

parser = argparse.ArgumentParser()
parser.add_argument("role", choices=["producer", "worker"])
parser.add_argument("--fast", action="store_true")
options = parser.parse_args()
if not options.fast:
    # importing them fails from here on, as where the extra is not installed
    sys.modules.update({"orjson": None, "uvloop": None})  # type: ignore[dict-item]

from bullworks.bullmq import Job, JobSpec, Queue, Worker  # noqa: E402


@contextlib.asynccontextmanager
async def connect(order: Order) -> AsyncIterator[Producer]:
    removed = not order.keep
    async with Queue(order.queue, connection=order.url) as queue:

        def add(data: dict[str, Any], priority: int) -> Awaitable[Any]:
            return queue.add("welcome-email", data, remove_on_complete=removed, priority=priority)

        def add_many(jobs: list[tuple[dict[str, Any], int]]) -> Awaitable[Any]:
            return queue.add_bulk(
                [
                    JobSpec("welcome-email", data, remove_on_complete=removed, priority=priority)
                    for data, priority in jobs
                ]
            )

        yield Producer(add, add_many)


async def work(order: Order, handle: Callable[[dict[str, Any]], Awaitable[None]], done: asyncio.Event) -> None:
    async def process(job: Job) -> None:
        await handle(job.data)

    async with Worker(order.queue, process, connection=order.url, concurrency=order.concurrency):
        await done.wait()


if __name__ == "__main__":
    packages = ["redis", "hiredis", *(["orjson", "uvloop"] if options.fast else [])]
    hello(*packages)
    new_loop = uvloop_loop if options.fast else None
    if options.role == "worker":
        work_async(work, new_loop)
    else:
        produce(connect, new_loop)
