"""1,000 jobs of ten steps each, while workers are killed at random: no acknowledged step is done again."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Queue
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.test_steps_survive import OPTIONS, STEPS, check_steps
from tests.bullworks.reliability.worker_process import WorkerProcess
from tests.bullworks.servers import RedisServer

JOBS = 1_000
FLEET = 2

pytestmark = [
    pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="takes minutes: RUN_SOAK=1 runs it"),
    pytest.mark.timeout(180),
]


async def test_no_acknowledged_step_is_done_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with RedisServer(tmp_path, append_only=True) as server, server.client() as look:

        def start() -> WorkerProcess:
            return WorkerProcess(server.url, "{steps}", "q", ledger.path, steps=STEPS, **options)

        options: dict[str, Any] = OPTIONS | {"concurrency": 10}
        async with Queue("q", connection=server.url, prefix="{steps}") as queue:
            ids = await add_many(queue, JOBS)
            fleet, kills = [start() for _ in range(FLEET)], 0
            try:
                while completed(look, queue) < JOBS:
                    await asyncio.sleep(random.uniform(0.3, 1.5))
                    doomed = fleet.pop(0)
                    doomed.kill()
                    fleet.append(start())
                    kills += 1
            finally:
                for process in fleet:
                    process.kill()
            check_ended(look, queue, ids)
    called = check_steps(ledger, JOBS * STEPS)
    print(f"\n{JOBS} jobs, {kills} kills, {called - JOBS * STEPS} steps met between call and checkpoint")  # noqa: T201
    assert kills > 0
    assert called <= JOBS * STEPS + kills * options["concurrency"]
