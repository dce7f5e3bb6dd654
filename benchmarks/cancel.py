"""How long a running handler takes to hear that its job is cancelled from another process.

200 jobs run in 4 processes, 50 in each, and one more process cancels them all: one by one, then all in one call; then
again with the event loop of one process blocked; then with a worker of npm bullmq that has the lines of
docs/beyond-bullmq.md, where Node is installed. Each handler notes the wall clock as its signal is aborted. Last: what a
listener costs while nobody cancels. Processes share the cores with Redis and with each other.
"""

import argparse
import asyncio
import json
import platform
import shutil
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import CancelSignal, Job, Queue, Worker

_QUEUE = "bench-cancel"
_NODE_WORKER = Path(__file__).parent.parent / "tests/bullworks/node/cancel.mjs"
_BLOCK_S = 0.5
# So that each request finds an idle server, as one that a person sends does.
_BETWEEN_S = 0.01
_PATIENCE_S = 60.0
_LOCKED = 600_000


async def work(url: str, concurrency: int) -> None:
    """One process: holds jobs until they are cancelled, and prints when each started and was told."""

    def tell(event: str, job_id: str) -> None:
        print(json.dumps({event: job_id, "at": time.time() * 1000}), flush=True)

    async def hold(job: Job, signal: CancelSignal) -> None:
        signal.add_callback(lambda _: tell("aborted", job.id))
        tell("started", job.id)
        await signal.wait()

    async with Worker(_QUEUE, hold, connection=url, concurrency=concurrency, lock_duration=_LOCKED):
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            time.sleep(_BLOCK_S)  # noqa: ASYNC251 - a line asks for a blocked loop


class Fleet:
    """Processes that hold jobs, and what they print."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.started: dict[str, int] = {}
        self.aborted_ms: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._readers: list[asyncio.Task[None]] = []

    async def start(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        self._readers.append(asyncio.create_task(self._read(process, len(self.processes))))
        self.processes.append(process)

    async def until(self, count: int, seen: dict[str, Any]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while len(seen) < count:
                self._changed.clear()
                await self._changed.wait()

    def block(self, number: int) -> None:
        """Block the event loop of a process."""
        stdin = self.processes[number].stdin
        assert stdin is not None
        stdin.write(b"block\n")

    async def close(self) -> None:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in self.processes))
        await asyncio.gather(*self._readers)

    async def _read(self, process: Process, number: int) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.startswith(b"{"):
                told = json.loads(line)
                if "started" in told:
                    self.started[told["started"]] = number
                if "aborted" in told:
                    self.aborted_ms[told["aborted"]] = told["at"]
                self._changed.set()


async def measure(label: str, url: str, fleet: Fleet, jobs: int, *, at_once: bool, blocked: int | None = None) -> None:
    """Add jobs, wait until all run, cancel them, and print how long it took to tell their handlers."""
    fleet.started.clear()
    fleet.aborted_ms.clear()
    asked_ms: dict[str, float] = {}
    async with Queue[Any](_QUEUE, connection=url) as queue:
        for number in range(jobs):
            await queue.add("hold", {"n": number})
        await fleet.until(jobs, fleet.started)
        ids = list(fleet.started)
        if blocked is not None:
            fleet.block(blocked)
            await asyncio.sleep(0.05)
        if at_once:
            asked_ms = dict.fromkeys(ids, time.time() * 1000)
            await queue.cancel_many(ids)
        else:
            for job_id in ids:
                asked_ms[job_id] = time.time() * 1000
                await queue.cancel(job_id)
                await asyncio.sleep(0 if blocked is not None else _BETWEEN_S)
        await fleet.until(jobs, fleet.aborted_ms)
    late = {job_id: fleet.aborted_ms[job_id] - asked_ms[job_id] for job_id in ids}
    if blocked is None:
        show(label, list(late.values()))
        return
    show(f"{label}, the others", [ms for job_id, ms in late.items() if fleet.started[job_id] != blocked])
    show(f"{label}, the blocked one", [ms for job_id, ms in late.items() if fleet.started[job_id] == blocked])


def show(label: str, late_ms: list[float]) -> None:
    cuts = statistics.quantiles(late_ms, n=100, method="inclusive")
    print(f"{label:44} {len(late_ms):4} jobs   ms: p50 {cuts[49]:6.1f}  p99 {cuts[98]:6.1f}  max {max(late_ms):6.1f}")


async def idle(url: str, seconds: float) -> None:
    """Commands that an idle worker sends, and its connections, with its listener."""

    async def process(job: Job) -> None: ...

    async with Queue[Any](_QUEUE, connection=url) as queue, Worker(_QUEUE, process, connection=url):
        await asyncio.sleep(1)
        stats = await queue.connection.execute("INFO", "commandstats")
        before = _reads(stats)
        await asyncio.sleep(seconds)
        reads = _reads(await queue.connection.execute("INFO", "commandstats")) - before
        listing = (await queue.connection.execute("CLIENT", "LIST")).decode()
        connections = listing.count(f"name={queue.keys.cancels_client_name()} ")
        print(f"idle for {seconds:.0f} s: {connections} connection of the listener, {reads} XREAD begun")


def _reads(stats: bytes) -> int:
    line = next((line for line in stats.decode().splitlines() if line.startswith("cmdstat_xread:")), "calls=0,")
    return int(line.partition("calls=")[2].partition(",")[0])


async def run(jobs: int, processes: int, seconds: float) -> None:
    with RedisProcess() as server:
        each = jobs // processes
        fleet = Fleet()
        for _ in range(processes):
            await fleet.start(sys.executable, "-m", "benchmarks.cancel", "--work", server.url, "--jobs", str(each))
        await measure("warm up", server.url, fleet, jobs, at_once=False)
        await measure("one by one", server.url, fleet, jobs, at_once=False)
        await measure("in one call", server.url, fleet, jobs, at_once=True)
        await measure("one loop blocked for 500 ms", server.url, fleet, jobs, at_once=False, blocked=0)
        await fleet.close()
        node = shutil.which("node")
        if node is None:
            print("no node on PATH: npm bullmq is left out")
        else:
            fleet = Fleet()
            question = {"url": server.url, "prefix": "bull", "queue": _QUEUE, "listens": True, "final": True}
            for _ in range(processes):
                await fleet.start(node, str(_NODE_WORKER), json.dumps({**question, "concurrency": each}))
            await measure("npm bullmq, warm up", server.url, fleet, jobs, at_once=False)
            await measure("npm bullmq, one by one", server.url, fleet, jobs, at_once=False)
            await measure("npm bullmq, in one call", server.url, fleet, jobs, at_once=True)
            await fleet.close()
        await idle(server.url, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cancel", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="that run at once (default 200)")
    parser.add_argument("--processes", type=int, default=4, help="that run them (default 4)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the idle part (default 10)")
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work, options.jobs))
        return
    print(f"Python {platform.python_version()}, {platform.machine()}")
    asyncio.run(run(options.jobs, options.processes, options.seconds))


if __name__ == "__main__":
    main()
