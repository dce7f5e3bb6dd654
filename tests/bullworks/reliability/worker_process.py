"""A worker in a process of its own, to be killed: `python -m tests.bullworks.reliability.worker_process JSON`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from bullworks.bullmq import Batch, Job, Worker
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.reliability.ledger import Ledger

ROOT = Path(__file__).parents[3]
POISON = "poison"
"""Name of jobs that kill the process which runs them."""


class WorkerProcess:
    """The process, seen from the test.

    Args:
        url: of the server.
        prefix, queue: of the queue.
        ledger: where each run is noted under "start" and "end".
        run_ms: how long a handler takes.
        steps: how many steps each job has, noted as `take_steps` does.
        grace_ms: for close, on SIGTERM.
        batch: how many jobs a call has; None: one, in a handler of its own.
        options: of Worker.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        queue: str,
        ledger: Path,
        *,
        run_ms: int = 0,
        steps: int = 0,
        grace_ms: int = 10_000,
        batch: int | None = None,
        **options: Any,
    ) -> None:
        plan = {
            "url": url,
            "prefix": prefix,
            "queue": queue,
            "ledger": str(ledger),
            "run_ms": run_ms,
            "steps": steps,
            "grace_ms": grace_ms,
            "batch": batch,
            "options": options,
        }
        self._log = ledger.with_name(f"{ledger.name}.worker-{time.monotonic_ns()}.log")
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.bullworks.reliability.worker_process", json.dumps(plan)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        end_with_tests(self.process)

    @property
    def log(self) -> str:
        """What the process printed."""
        return self._log.read_text(errors="replace")

    def signal(self, signum: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(signum)

    def kill(self) -> None:
        """SIGKILL, and collect it; fine if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)

    def wait(self, within_s: float) -> int:
        """The exit code, waited for."""
        try:
            return self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not ended within {within_s} s; log: {self.log}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


async def take_steps(job: Job[Any, Any], ledger: Ledger, steps: int) -> None:
    """Take a job's steps, and note each as "called", and once it is acknowledged as "done"."""

    async def call(step: str) -> str:
        ledger.note("called", step)
        await asyncio.sleep(0.002)
        return step

    for number in range(steps):
        step = f"{job.id}/{number}"
        assert await job.step(f"step {number}", call, step) == step
        ledger.note("done", step)


async def main(plan: dict[str, Any]) -> None:
    """Run the worker until SIGTERM."""
    ledger = Ledger(Path(plan["ledger"]))

    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        if job.name == POISON:
            await asyncio.sleep(0.05)  # so that others run beside it
            os.kill(os.getpid(), signal.SIGKILL)
        if plan["steps"]:
            await take_steps(job, ledger, plan["steps"])
        if plan["run_ms"]:
            await asyncio.sleep(plan["run_ms"] / 1000)
        ledger.note("end", job.id)
        return "done"

    async def process_batch(jobs: list[Job[Any, Any]]) -> list[str]:
        return await asyncio.gather(*map(process, jobs))

    if plan["batch"] is not None:
        plan["options"]["batch"] = Batch(size=plan["batch"])
    handler = process if plan["batch"] is None else process_batch
    worker: Worker[Any, Any] = Worker(
        plan["queue"], handler, connection=plan["url"], prefix=plan["prefix"], **plan["options"]
    )
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await worker.start()
    await told.wait()
    await worker.close(grace=plan["grace_ms"])


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
