"""What a step costs: us of a worker that is busy, us one after the other, and bytes in Redis.

Jobs of ten steps, each returning a short text, beside jobs whose handler makes the same calls without steps, in turns.
Worker, queue and Redis share the machine, so look at the difference.
"""

import argparse
import asyncio
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Job, JobSpec, Queue, Worker

_STEPS = 10
_ROUNDS = 3
_PATIENCE_S = 120.0


def call(number: int) -> str:
    return f"charge-{number:08}"


async def with_steps(job: Job) -> None:
    for number in range(_STEPS):
        await job.step(f"step-{number}", call, number)


async def without_steps(_job: Job) -> None:
    for number in range(_STEPS):
        call(number)


async def drain_s(
    url: str, handler: Callable[[Job], Awaitable[None]], jobs: int, concurrency: int
) -> tuple[float, float]:
    """Seconds until all jobs have completed, and how many bytes the last one's hash has."""
    async with Queue("steps", connection=url) as queue:
        await queue.obliterate(force=True)
        added = await queue.add_bulk([JobSpec("order") for _ in range(jobs)])
        began_s = time.perf_counter()
        worker = Worker("steps", handler, connection=url, concurrency=concurrency)
        left, done = jobs, asyncio.Event()

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                done.set()

        worker.on("completed", count)
        async with worker, asyncio.timeout(_PATIENCE_S):
            await done.wait()
        took_s = time.perf_counter() - began_s
        size = await queue.connection.execute("MEMORY", "USAGE", queue.keys.of(added[-1].id), "SAMPLES", 0)
    return took_s, float(size)


async def measure(url: str, jobs: int, concurrency: int) -> None:
    """Print the medians of a few rounds, in turns."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    sizes: dict[str, float] = {}
    for _ in range(_ROUNDS):
        for name, handler in (("with", with_steps), ("without", without_steps)):
            took_s, sizes[name] = await drain_s(url, handler, jobs, concurrency)
            found[name].append(took_s)
    steps = jobs * _STEPS
    took = {name: statistics.median(times) for name, times in found.items()}
    step_us = (took["with"] - took["without"]) / steps * 1e6
    step_bytes = (sizes["with"] - sizes["without"]) / _STEPS
    print(
        f"concurrency {concurrency:3}: {step_us:6.0f} us a step ({steps / took['with']:7,.0f} steps/s), "
        f"{step_bytes:4.0f} bytes a step"
    )


async def run(jobs: int) -> None:
    with RedisProcess() as server:
        for concurrency in (1, 50):
            await measure(server.url, jobs, concurrency)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000)
    jobs = parser.parse_args().jobs
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {platform.machine()}, {jobs} jobs of {_STEPS} steps, load {load:.1f}")
    asyncio.run(run(jobs))


if __name__ == "__main__":
    main()
