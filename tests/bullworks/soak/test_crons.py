"""One distributed cron in several processes, for SOAK_S seconds (default 300), if RUN_SOAK is set; prints its seed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.bullworks.schedule.fleet import CronFleet
from tests.bullworks.schedule.test_fleet import DURABLE
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

SOAK_S = int(os.environ.get("SOAK_S", "300"))


@pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="takes minutes: RUN_SOAK=1 runs it")
@pytest.mark.timeout(SOAK_S + 90)
async def test_no_tick_runs_twice_whatever_is_killed(tmp_path: Path) -> None:
    """Four processes; at random times one is killed and replaced, or Redis is restarted, killed or frozen."""
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    server = RedisServer(tmp_path, options=DURABLE)
    cut_short: set[int] = set()
    with server, CronFleet("report", server.url, tmp_path) as fleet:
        for _ in range(4):
            fleet.start()
        end_s = time.monotonic() + SOAK_S
        while time.monotonic() < end_s:
            what = chance.choice(["kill a process", "restart redis", "kill redis", "freeze redis"])
            pause_s = chance.uniform(0.05, 2.5)
            if what == "kill a process":
                pid = chance.choice(list(fleet.processes))
                fleet.kill(pid)
                cut_short |= {tick for tick, its_pid in fleet.started()[-2:] if its_pid == pid}
                fleet.start()
            elif what == "freeze redis":
                server.freeze()
                time.sleep(pause_s)  # the fault is the time itself
                server.thaw()
            else:
                server.kill() if what == "kill redis" else server.stop()
                time.sleep(pause_s)
                server.start()
            fleet.wait_for_more(2, within_s=20)

        async def all_listed() -> bool:
            listed = await fleet.misses()
            oldest = min(listed, default=0)
            # the list holds the latest hundred
            return {tick for tick in fleet.silent() if tick >= oldest} <= set(listed)

        await eventually(all_listed, within_s=40, what="every missed tick to be listed")
        ran = {tick for tick, _ in fleet.started()}
        assert fleet.repeated() == [], f"seed {seed}"
        assert set(await fleet.misses()) & ran <= cut_short, f"seed {seed}"
