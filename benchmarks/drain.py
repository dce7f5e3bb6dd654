"""How fast one worker process empties a queue of jobs that do nothing, with every guarantee on.

Figures of a shared machine are noisy: look at the ratio of two runs, and at CPU per job before jobs per second.
"""

import argparse
import asyncio
import platform
import statistics
import time
from dataclasses import dataclass

from app.bullmq import Job, JobSpec, Queue, Worker
from benchmarks.redis_process import RedisProcess

PAYLOAD = {"email": "user@example.com", "subject": "Welcome!", "body": "Thank you for registering"}


@dataclass(frozen=True, slots=True)
class Drained:
    jobs_per_s: float
    worker_us: float
    redis_us: float
    adds_per_s: float


async def drain(server: RedisProcess, *, jobs: int, concurrency: int, keep: bool) -> Drained:
    """Fill a queue, empty it, and count."""
    server.flush()
    async with Queue("drain", connection=server.url) as queue:
        specs = [JobSpec("welcome-email", PAYLOAD, remove_on_complete=not keep) for _ in range(jobs)]
        begun_s = time.perf_counter()
        await queue.add_bulk(specs)
        adds_per_s = jobs / (time.perf_counter() - begun_s)
        done = asyncio.Event()
        left = jobs

        async def process(job: Job) -> None:
            nonlocal left
            _ = job.data
            left -= 1
            if left == 0:
                done.set()

        worker = Worker("drain", process, connection=server.url, concurrency=concurrency)
        redis_s, worker_s, begun_s = server.cpu_s(), time.process_time(), time.perf_counter()
        async with worker:
            await done.wait()
            elapsed_s = time.perf_counter() - begun_s
            worker_s = time.process_time() - worker_s
        redis_s = server.cpu_s() - redis_s
        counts = await queue.get_job_counts()
        if counts["completed"] != (jobs if keep else 0) or counts["failed"] or counts["active"] or counts["waiting"]:
            raise RuntimeError(f"not all jobs completed: {counts}")
    return Drained(jobs / elapsed_s, worker_s / jobs * 1e6, redis_s / jobs * 1e6, adds_per_s)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drain", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs a round (default 20000)")
    parser.add_argument("--concurrency", type=int, default=100, help="handlers at once (default 100)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    parser.add_argument("--keep", action="store_true", help="keep completed jobs, BullMQ's default")
    options = parser.parse_args()
    with RedisProcess() as server:
        print(
            f"{options.jobs} no-op jobs, concurrency {options.concurrency}, "
            f"completed jobs {'kept' if options.keep else 'removed'}; "
            f"Python {platform.python_version()}, {server.version}"
        )
        rounds: list[Drained] = []
        for number in range(1, options.rounds + 1):
            result = asyncio.run(drain(server, jobs=options.jobs, concurrency=options.concurrency, keep=options.keep))
            rounds.append(result)
            print(f"  round {number}: {_line(result)}")
        median = Drained(*(statistics.median(getattr(result, name) for result in rounds) for name in Drained.__slots__))
        print(f"median:    {_line(median)}")


def _line(result: Drained) -> str:
    return (
        f"{result.jobs_per_s:8,.0f} jobs/s, CPU a job: worker {result.worker_us:5.1f} us, "
        f"redis {result.redis_us:5.1f} us; added in bulk {result.adds_per_s:8,.0f} jobs/s"
    )


if __name__ == "__main__":
    main()
