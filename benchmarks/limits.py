"""How much of what a limit allows is used, whether more ever is, and what a call costs.

4 processes share a limit and always want more than it allows. Each grant is noted with its time by Redis's clock. From
these come the most that any period as long as a window holds, and the average that a period as long as the longest one
holds, of what the windows allow. Callers wait for room, or are handlers of jobs, which are delayed while there is none.
In some runs a process is killed every 3 seconds. Cost: calls in batches, in us of Redis's CPU.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sys
from asyncio.subprocess import PIPE, Process
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.limits import Limit, LimitReachedError, Reservation, Window
from bullworks.testing import eventually

PROCESSES = 4
CALLERS = 6
"""In each process: callers that wait, or jobs that are processed at once."""
KILL_EVERY_S = 3.0
_LIMIT, _QUEUE = "bench", "bench-limits"
_WAIT_MS = 60_000
_START_S = 30.0
_JOBS = 20_000
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        windows: (most, ms) of each.
        most_cost: costs are 1 .. most_cost, drawn evenly.
        settles: 7 of 10 spend less than they reserved, and say so.
        jobs: the callers are handlers of jobs.
        kills: processes are killed, one after the other, and others take their place.
    """

    name: str
    windows: tuple[tuple[int, int], ...]
    most_cost: int = 1
    settles: bool = False
    jobs: bool = False
    kills: bool = False

    def allowed(self, us: int) -> float:
        """How much the windows allow in so long a time."""
        return min(most / per_ms for most, per_ms in self.windows) * us / 1_000


_TWO = ((30, 200), (120, 1_000))
PLANS = (
    Plan("callers that wait", ((500, 1_000),)),
    Plan("costs of 1 .. 5, two windows", _TWO, most_cost=5),
    Plan("the same, kills", _TWO, most_cost=5, kills=True),
    Plan("the same, settling for less", _TWO, most_cost=5, settles=True),
    Plan("the same, both", _TWO, most_cost=5, settles=True, kills=True),
    Plan("jobs that are delayed", ((500, 1_000),), jobs=True),
    Plan("the same, kills", ((500, 1_000),), jobs=True, kills=True),
)


async def work(url: str, plan: dict[str, Any], seed: int) -> None:
    """One process: takes what it can get, and prints when each cost was granted, in us, and how much was spent."""
    draw = random.Random(seed)

    async def use(job: Job | None) -> None:
        cost = draw.randint(1, plan["most_cost"])
        reserved = await limit.reserve(cost, wait=0 if job else _WAIT_MS, job=job)
        spent = draw.randint(0, cost) if plan["settles"] and draw.random() < 0.7 else cost
        # One write, before it is settled: a process that is killed in between has noted less than counts.
        os.write(1, f"{reserved.granted_at_us} {spent}\n".encode())
        await asyncio.sleep(0.002)
        await reserved.settle(spent)

    async def call() -> None:
        while True:
            await use(None)

    async with Limit(_LIMIT, *(Window(*window) for window in plan["windows"]), connection=url) as limit:
        if not plan["jobs"]:
            await asyncio.gather(*(call() for _ in range(CALLERS)))
        async with Worker(_QUEUE, use, connection=url, concurrency=CALLERS):
            await asyncio.Event().wait()


class Fleet:
    """The processes of a run, and what they were granted.

    Attributes:
        grants: (at, us since the epoch by Redis's clock; cost) of each, in no order.
    """

    def __init__(self, url: str, plan: Plan) -> None:
        self.grants: list[tuple[int, int]] = []
        self._command = (sys.executable, "-m", "benchmarks.limits", "--work", url, "--plan", json.dumps(asdict(plan)))
        self._processes: list[Process] = []
        self._readers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        seed = str(len(self._readers))
        process = await asyncio.create_subprocess_exec(*self._command, "--seed", seed, stdout=PIPE)
        self._processes.append(process)
        self._readers.append(asyncio.create_task(self._read(process)))

    async def kill(self) -> None:
        """Kill the process that has run for the longest."""
        process = self._processes.pop(0)
        process.kill()
        await process.wait()

    async def close(self) -> None:
        while self._processes:
            await self.kill()
        await asyncio.gather(*self._readers)

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while (line := await process.stdout.readline()).endswith(b"\n"):
            at_us, cost = line.split()
            self.grants.append((int(at_us), int(cost)))


async def measure(redis: RedisProcess, plan: Plan, seconds: float) -> str:
    """Let a fleet use a limit. Returns a row of the report."""
    redis.flush()
    if plan.jobs:
        async with Queue(_QUEUE, connection=redis.url) as queue:
            await queue.add_bulk([JobSpec("work", remove_on_complete=True) for _ in range(_JOBS)])
    fleet = Fleet(redis.url, plan)
    for _ in range(PROCESSES):
        await fleet.start()
    await eventually(lambda: fleet.grants, within_s=_START_S, what="the first grant")
    for _ in range(round(seconds / KILL_EVERY_S)):
        await asyncio.sleep(KILL_EVERY_S)
        if plan.kills:
            await fleet.start()
            await fleet.kill()
    await fleet.close()
    grants = sorted(fleet.grants)
    windows = ", ".join(f"{most} in {per_ms} ms" for most, per_ms in plan.windows)
    fullest = ", ".join(str(fullest_period(grants, per_ms)) for _, per_ms in plan.windows)
    return f"{plan.name:30} {windows:>28} {len(grants):8,} {fullest:>10} {used_part(grants, plan):8.1%}"


def fullest_period(grants: Sequence[tuple[int, int]], per_ms: int) -> int:
    """The most that any period of this length holds, both of its ends included."""
    first, inside, most = 0, 0, 0
    for at_us, cost in grants:
        inside += cost
        while grants[first][0] < at_us - per_ms * 1_000:
            inside -= grants[first][1]
            first += 1
        most = max(most, inside)
    return most


def used_part(grants: Sequence[tuple[int, int]], plan: Plan) -> float:
    """The part of what the windows allow that was used, averaged over periods as long as the longest window.

    Grants come in bursts, one a window: of a single span, where it begins and ends would decide.
    """
    times = [at_us for at_us, _ in grants]
    sums = list(accumulate((cost for _, cost in grants), initial=0))
    length_us = max(per_ms for _, per_ms in plan.windows) * 1_000
    begins = range(times[0], times[-1] - length_us, 1_000)
    used = sum(sums[bisect_left(times, at + length_us)] - sums[bisect_left(times, at)] for at in begins)
    return used / (len(begins) * plan.allowed(length_us))


async def cost(redis: RedisProcess, windows: int, calls: int) -> str:
    """Call a limit with so many windows. Returns a row of the report: calls that are granted, and refused."""
    redis.flush()
    lengths = [Window(10**9, per=60_000 * number) for number in range(1, windows + 1)]
    async with Limit(_LIMIT, *lengths, connection=redis.url) as limit:
        granted = await _us_a_call(redis, limit, 1, calls)
        refused = await _us_a_call(redis, limit, 10**9, calls)
    return f"{windows:8} {granted:10.1f} {refused:10.1f}"


async def _us_a_call(redis: RedisProcess, limit: Limit, asked: int, calls: int) -> float:
    before_s = redis.cpu_s()
    for _ in range(calls // _BATCH):
        answers = await asyncio.gather(*(limit.reserve(asked) for _ in range(_BATCH)), return_exceptions=True)
        assert all(isinstance(answer, Reservation | LimitReachedError) for answer in answers)
    return (redis.cpu_s() - before_s) / calls * 1e6


async def run(seconds: float, calls: int) -> None:
    with RedisProcess() as redis:
        print(f"{'':30} {'windows':>28} {'grants':>8} {'fullest':>10} {'used':>8}")
        for plan in PLANS:
            print(await measure(redis, plan, seconds))
        print(f"\n{calls:,} calls, us of Redis each\n{'windows':>8} {'granted':>10} {'refused':>10}")
        for windows in (1, 2, 3):
            print(await cost(redis, windows, calls))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.limits", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run (default 15)")
    parser.add_argument("--calls", type=int, default=20_000, help="whose cost is measured (default 20,000)")
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--plan", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work, options.plan, options.seed))
        return
    print(f"Python {platform.python_version()}, {platform.machine()}; {PROCESSES} processes, {CALLERS} callers in each")
    asyncio.run(run(options.seconds, options.calls))


if __name__ == "__main__":
    main()
