"""How fair groups are behind one that has nearly all the jobs, and what they cost.

Fairness: one tenant has added its jobs, then 50 more add ten each. Until the last of these has begun, who was served
how much? Jain's index is 1 where all got the same, 1/51 where one got all. Waits are of the small tenants' jobs, from
the first start to theirs. Cost: no-op jobs over so many groups, added and worked off.
"""

import argparse
import asyncio
import platform
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.testing import eventually

SMALL_TENANTS = 50
JOBS_EACH = 10
CONCURRENCY = 10
# Longer than a trip: what is compared is the order, not the overhead.
HANDLER_S = 0.002
_LONGEST_S = 1_200
# A trip's worth of reads.
_READS = 1_000

NODE_WORKER = """
import { Worker } from 'bullmq';
import IORedis from 'ioredis';
const connection = new IORedis(process.argv[1], { maxRetriesPerRequest: null });
const pause = () => new Promise((resolve) => setTimeout(resolve, Number(process.argv[2])));
new Worker('fair', pause, { connection, concurrency: Number(process.argv[3]) });
"""


@dataclass(frozen=True, slots=True)
class Fairness:
    """What the small tenants had of a fleet; waits in ms."""

    fleet: str
    jain: float
    p50_wait_ms: float
    p99_wait_ms: float
    served: int

    def row(self) -> str:
        return f"{self.fleet:24} {self.jain:6.3f} {self.p50_wait_ms:12,.0f} {self.p99_wait_ms:12,.0f} {self.served:14,}"


def jain(served: Iterable[int]) -> float:
    """1 where all have the same, 1/n where one has all."""
    shares = list(served)
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


async def fairness(url: str, fleet: str, *, jobs: int, has_groups: bool, node: Path | None) -> Fairness:
    """Let a fleet serve one large and many small tenants, until these are done."""
    async with Queue("fair", connection=url) as queue:
        await queue.connection.execute("FLUSHALL")
        tenants = ["large"] * jobs + [f"small-{n % SMALL_TENANTS}" for n in range(SMALL_TENANTS * JOBS_EACH)]
        specs = [JobSpec("work", group={"id": tenant}) if has_groups else JobSpec("work") for tenant in tenants]
        ids = [job.id for job in await queue.add_bulk(specs)]
        small = ids[jobs:]
        process = None if node is None else await _npm_worker(node, url)
        try:
            async with Worker("fair", _handle, connection=url, concurrency=CONCURRENCY):
                await eventually(lambda: _all_began(queue, small), within_s=_LONGEST_S, what="all to begin")
        finally:
            if process is not None:
                process.terminate()
                await process.wait()
        starts = dict(zip(ids, await _starts(queue, ids), strict=True))
    began = min(start for start in starts.values() if start is not None)
    last = max(starts[job_id] or 0 for job_id in small)
    served = Counter(
        tenant for job_id, tenant in zip(ids, tenants, strict=True) if (starts[job_id] or last + 1) <= last
    )
    waits = sorted((starts[job_id] or 0) - began for job_id in small)
    return Fairness(
        fleet, jain(served.values()), statistics.median(waits), waits[len(waits) * 99 // 100], served.total()
    )


async def _handle(job: Job) -> None:  # noqa: ARG001 - as a worker calls it
    await asyncio.sleep(HANDLER_S)


async def _npm_worker(node: Path, url: str) -> asyncio.subprocess.Process:
    arguments = ("--input-type=module", "--eval", NODE_WORKER, url, str(HANDLER_S * 1_000), str(CONCURRENCY))
    return await asyncio.create_subprocess_exec(shutil.which("node") or "node", *arguments, cwd=node)


async def _starts(queue: Queue, ids: Sequence[str]) -> list[int | None]:
    """When each was taken, ms since the epoch; None: not yet."""
    found: list[int | None] = []
    for at in range(0, len(ids), _READS):
        reads = [("HGET", queue.keys.of(job_id), "processedOn") for job_id in ids[at : at + _READS]]
        found += [None if value is None else int(value) for value in await queue.connection.together(*reads)]
    return found


async def _all_began(queue: Queue, ids: Sequence[str]) -> bool:
    return None not in await _starts(queue, ids)


async def cost(url: str, groups: int, jobs: int) -> str:
    """Add and work off no-op jobs of so many groups, 0 for none; a row of the report."""
    async with Queue("cost", connection=url) as queue:
        await queue.connection.execute("FLUSHALL")
        empty = await _info(queue, "memory", "used_memory")
        before_s, began_s = await _redis_s(queue), time.perf_counter()
        for at in range(0, jobs, 10_000):
            numbers = range(at, min(at + 10_000, jobs))
            await queue.add_bulk([_spec(n % groups if groups else None) for n in numbers])
        added_s, add_us = time.perf_counter() - began_s, (await _redis_s(queue) - before_s) / jobs * 1e6
        full = await _info(queue, "memory", "used_memory")
        drained_s, drain_us = await _drain(url, queue, jobs)
        await queue.connection.execute("XTRIM", queue.keys.of("events"), "MAXLEN", 0)
        left = (await _info(queue, "memory", "used_memory") - empty) / 1e6
        return (
            f"{groups:10,} {jobs / added_s:12,.0f} {add_us:10.1f} {jobs / drained_s:12,.0f} {drain_us:10.1f} "
            f"{(full - empty) / jobs:10,.0f} {left:8.1f}"
        )


def _spec(group: int | None) -> JobSpec:
    if group is None:
        return JobSpec("work", remove_on_complete=True)
    return JobSpec("work", remove_on_complete=True, group={"id": f"tenant-{group}"})


async def _drain(url: str, queue: Queue, jobs: int) -> tuple[float, float]:
    left, is_done = [jobs], asyncio.Event()

    async def count(job: Job) -> None:  # noqa: ARG001 - as a worker calls it
        left[0] -= 1
        if left[0] == 0:
            is_done.set()

    before_s, began_s = await _redis_s(queue), time.perf_counter()
    async with Worker("cost", count, connection=url, concurrency=100):
        await is_done.wait()
    return time.perf_counter() - began_s, (await _redis_s(queue) - before_s) / jobs * 1e6


async def _redis_s(queue: Queue) -> float:
    return await _info(queue, "cpu", "used_cpu_user") + await _info(queue, "cpu", "used_cpu_sys")


async def _info(queue: Queue, section: str, name: str) -> float:
    lines = (await queue.connection.execute("INFO", section)).decode().split()
    return next(float(line.partition(":")[2]) for line in lines if line.startswith(f"{name}:"))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", type=int, default=100_000, help="jobs of the large tenant")
    parser.add_argument("--jobs", type=int, default=100_000, help="jobs of each measurement of cost")
    parser.add_argument("--node", type=Path, help="a folder with npm bullmq, as tests/bullworks/node, for mixed fleets")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}; {asked.large:,} jobs of one tenant, {SMALL_TENANTS} of {JOBS_EACH}")
    print(f"{'fleet':24} {'Jain':>6} {'p50 wait ms':>12} {'p99 wait ms':>12} {'served till then':>14}")
    fleets = [("FIFO", False, None), ("groups", True, None)]
    if asked.node is not None:
        fleets += [("FIFO, npm beside", False, asked.node), ("groups, npm beside", True, asked.node)]
    with RedisProcess() as redis:
        for fleet, has_groups, node in fleets:
            print((await fairness(redis.url, fleet, jobs=asked.large, has_groups=has_groups, node=node)).row())
        print(f"\n{asked.jobs:,} no-op jobs; redis in us a job, memory in bytes a job, then in MB what is left")
        names = ("groups", "added/s", "redis", "worked off/s", "redis", "memory", "left")
        print("{:>10} {:>12} {:>10} {:>12} {:>10} {:>10} {:>8}".format(*names))
        for groups in (0, 1, 100, 100_000):
            print(await cost(redis.url, groups, asked.jobs))


if __name__ == "__main__":
    asyncio.run(main())
