"""No stretch of time holds more than its window allows, whatever processes ask, are killed, and settle.

Times are Redis's own. LIMIT_SECONDS lets the processes go on for longer, LIMIT_SEED draws anew; `-s` shows how much of
what is allowed was used, which means something from 10 seconds on.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from bullworks.limits import Limit, Window
from tests.bullworks.limits.limit_process import LimitProcess, Spent, most_in_any, spent_in
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.kill

PROCESSES = 4
WINDOWS = [[30, 200], [120, 1_000]]
SECONDS = float(os.environ.get("LIMIT_SECONDS", "1.5"))
SEED = int(os.environ.get("LIMIT_SEED", "1"))


class Crowd:
    """The processes, and what they spent."""

    def __init__(self, **plan: Any) -> None:
        self._plan = {"windows": WINDOWS, "most_cost": 5, "settles": False, "plant": False, **plan}
        self._ledger = Ledger(Path(plan["folder"]) / "ledger")
        self._processes: list[LimitProcess] = []
        self._draw = random.Random(SEED)

    async def runs(self, *, kills: int) -> list[Spent]:
        """What is spent while some are killed and others come."""
        try:
            for _ in range(PROCESSES):
                self._start()
            await eventually(lambda: len(self._ledger.ids("ready")) == PROCESSES, what=self._log())
            for _ in range(kills + 1):
                await self._goes_on(SECONDS / (kills + 1))
                if kills:
                    self._draw.choice(self._processes).kill()
                    self._start()
            return spent_in(self._ledger)
        finally:
            for process in self._processes:
                process.kill()

    async def _goes_on(self, seconds: float) -> None:
        """Until so much time has passed between what was granted first and last."""
        since_us = max((spent.at_us for spent in spent_in(self._ledger)), default=0)

        def has_passed() -> bool:
            later = [spent.at_us for spent in spent_in(self._ledger) if spent.at_us > since_us]
            return bool(later) and later[-1] - later[0] >= seconds * 1_000_000

        await eventually(has_passed, within_s=30 + 2 * seconds, what=self._log())

    def _start(self) -> None:
        self._processes.append(LimitProcess(self._plan, SEED * 1_000 + len(self._processes)))

    def _log(self) -> str:
        return "\n".join(process.log for process in self._processes)


def used_of(spent: list[Spent], most: int, per_ms: int) -> float:
    """The part of what a window allows that was spent, over all of the time but the first window, which began full."""
    begins_us = spent[0].at_us + per_ms * 1_000
    later = [each for each in spent if each.at_us >= begins_us]
    ran_ms = (later[-1].at_us - begins_us) / 1_000
    return sum(each.cost for each in later) / (most * ran_ms / per_ms)


@pytest.mark.parametrize("settles", [False, True], ids=["", "settling"])
async def test_no_window_is_ever_exceeded_by_processes_that_are_killed(
    redis_url: str, name: str, tmp_path: Path, settles: bool
) -> None:
    crowd = Crowd(url=redis_url, name=name, folder=str(tmp_path), settles=settles)
    spent = await crowd.runs(kills=3)
    most = {per_ms: most_in_any(spent, per_ms) for _, per_ms in WINDOWS}
    used = {per_ms: used_of(spent, allowed, per_ms) for allowed, per_ms in WINDOWS}
    shown = ", ".join(f"{part:.1%} of {per_ms} ms" for per_ms, part in used.items())
    sys.stdout.write(f"\n{len(spent)} granted; the most in any window {most}, of {WINDOWS}; used {shown}\n")
    for allowed, per_ms in WINDOWS:
        assert most[per_ms] <= allowed
    assert max(most[per_ms] / allowed for allowed, per_ms in WINDOWS) > 0.9, "the limit was put to the test"
    # Of the dead nothing is left when their windows have passed.
    async with Limit(name, *(Window(most, per=per_ms) for most, per_ms in WINDOWS), connection=redis_url) as limit:
        assert (await limit.reserve(WINDOWS[0][0], wait=20_000)).cost == WINDOWS[0][0]


async def test_a_limit_that_forgets_too_soon_is_found_out(redis_url: str, name: str, tmp_path: Path) -> None:
    spent = await Crowd(url=redis_url, name=name, folder=str(tmp_path), plant=True).runs(kills=0)
    assert any(most_in_any(spent, per_ms) > allowed for allowed, per_ms in WINDOWS)
