"""A worker of the soak, in a process of its own: `python -m tests.bullworks.soak.soak_worker JSON`.

It notes when each run begins and ends, and, once started and on SIGUSR1, what the process holds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bullworks.bullmq import FlowProducer, Job, Worker
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.waiting import wait_until

ROOT = Path(__file__).parents[3]
# What runs when its lock was lost is found again within about 4 s.
TIMING: dict[str, Any] = {"lock_duration": 3_000, "stalled_interval": 1_000, "max_stalled_count": 50}


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a process holds at one moment."""

    rss_kb: int
    descriptors: int
    tasks: int
    threads: int


class SoakWorker:
    """The process, seen from the soak."""

    def __init__(self, url: str, prefix: str, folder: Path) -> None:
        self.ledger = folder / "ledger"
        self.vitals_file = folder / f"vitals-{time.monotonic_ns()}"
        plan = {"url": url, "prefix": prefix, "ledger": str(self.ledger), "vitals": str(self.vitals_file)}
        self._log = self.vitals_file.with_suffix(".log")
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.bullworks.soak.soak_worker", json.dumps(plan)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    @property
    def has_started(self) -> bool:
        """Whether it is connected; where Redis is away at the start, it ends."""
        return self.vitals_file.exists()

    @property
    def log_bytes(self) -> int:
        return self._log.stat().st_size

    def vitals(self) -> Vitals:
        """What it holds now."""
        lines = self._lines()
        self.process.send_signal(signal.SIGUSR1)
        wait_until(
            lambda: len(self._lines()) > len(lines), within_s=30, what=f"vitals; {self._log.read_text()[-2000:]}"
        )
        return Vitals(**json.loads(self._lines()[-1]))

    def _lines(self) -> list[str]:
        return self.vitals_file.read_text().splitlines() if self.vitals_file.exists() else []

    def kill(self) -> None:
        """SIGKILL, and collect it; fine if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)

    def stop(self, within_s: float) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=within_s)


def _vitals() -> Vitals:
    status = Path("/proc/self/status").read_text()
    rss_kb = int(status.split("VmRSS:")[1].split()[0])
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return Vitals(rss_kb, descriptors, len(asyncio.all_tasks()), threading.active_count())


async def main(plan: dict[str, Any]) -> None:
    """Run workers of three queues until SIGTERM."""
    ledger = Ledger(Path(plan["ledger"]))
    place = {"connection": plan["url"], "prefix": plan["prefix"]}

    def note(what: str, job: Job) -> None:
        ledger.note(f"{what}-{job.queue_name}", f"{time.time() * 1000:.0f} {job.id}")

    async def process(job: Job) -> str:
        note("start", job)
        await asyncio.sleep(random.expovariate(200))  # 5 ms
        note("end", job)
        return "done"

    async def sum_up(job: Job) -> int:
        note("start", job)
        values = await job.get_children_values()
        note("end", job)
        return len(values)

    workers: list[Worker[Any, Any]] = [
        Worker("plain", process, concurrency=20, **place, **TIMING),
        Worker("ticks", process, **place, **TIMING),
        Worker("parents", sum_up, concurrency=5, **place, **TIMING),
    ]
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told.set)

    def write_vitals() -> None:
        found = _vitals()
        with Path(plan["vitals"]).open("a") as output:
            output.write(json.dumps({name: getattr(found, name) for name in Vitals.__slots__}) + "\n")

    loop.add_signal_handler(signal.SIGUSR1, write_vitals)
    async with FlowProducer(**place):
        for worker in workers:
            await worker.start()
        write_vitals()
        await told.wait()
        await asyncio.gather(*(worker.close(grace=5_000) for worker in workers))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
