"""Workers are killed in the middle of jobs that have steps: what was acknowledged is not done again."""

from __future__ import annotations

from typing import Any

import redis

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.worker_process import WorkerProcess, take_steps
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

JOBS = 200
STEPS = 10
OPTIONS: dict[str, Any] = {
    "concurrency": 20,
    "lock_duration": 500,
    "stalled_interval": 250,
    "max_stalled_count": 50,
    "isolate_stalled": False,
}


async def test_no_acknowledged_step_is_done_again(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, JOBS)
    for done in (500, 1_200):
        with WorkerProcess(own_server.url, key_prefix, "q", ledger.path, steps=STEPS, **OPTIONS) as doomed:
            await eventually(lambda done=done: len(ledger.ids("done")) >= done, what=f"{done} steps; {doomed.log}")

    async def process(job: Job[Any, Any]) -> None:
        await take_steps(job, ledger, STEPS)

    async with Worker("q", process, connection=own_server.url, prefix=key_prefix, **OPTIONS):
        await eventually(lambda: completed(look, queue) == JOBS, what="all to complete")
    check_ended(look, queue, ids)
    called = check_steps(ledger, JOBS * STEPS)
    assert called <= JOBS * STEPS + 2 * OPTIONS["concurrency"]  # those that a kill met between call and checkpoint


def check_steps(ledger: Ledger, steps: int) -> int:
    """Assert that no step was called once it was done, and that all were done. Returns the number of calls."""
    done: set[str] = set()
    called = 0
    for what, step in ledger.entries():
        if what == "called":
            called += 1
            assert step not in done, step
        elif what == "done":
            done.add(step)
    assert len(done) == steps
    return called
