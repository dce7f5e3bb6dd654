"""Somebody who uses a limit, in a process of its own: `python -m tests.bullworks.limits.limit_process JSON`."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bullworks.limits import Limit, LimitReachedError, Window, limit_scripts
from bullworks.redis.script import Script
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.reliability.ledger import Ledger

ROOT = Path(__file__).parents[3]
USERS = 6
"""Coroutines that use the limit, in each process."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was granted at `at_us` of Redis's clock, less what was given back."""

    at_us: int
    cost: int


class LimitProcess:
    """The process, seen from the test.

    Args:
        plan: url, folder, name, windows [[most, per_ms]], most_cost, settles (whether less may be spent than was
            reserved), plant (whether it counts for too short a time).
        seed: of what it does.
    """

    def __init__(self, plan: dict[str, Any], seed: int) -> None:
        self._log = Path(plan["folder"]) / f"process-{seed}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.bullworks.limits.limit_process", json.dumps({**plan, "seed": seed})],
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
        return self._log.read_text(errors="replace")[-1_000:]

    def kill(self) -> None:
        """SIGKILL, and collect it; fine if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)


def spent_in(ledger: Ledger) -> list[Spent]:
    """What all processes noted, by time."""
    pairs = [note.split(":") for note in ledger.ids("spent")]
    return sorted((Spent(int(at_us), int(cost)) for at_us, cost in pairs), key=lambda spent: spent.at_us)


def most_in_any(spent: list[Spent], per_ms: int) -> int:
    """The most that any stretch of time of this length holds, both of its ends included."""
    first, inside, most = 0, 0, 0
    for each in spent:
        inside += each.cost
        while spent[first].at_us < each.at_us - per_ms * 1_000:
            inside -= spent[first].cost
            first += 1
        most = max(most, inside)
    return most


async def use(limit: Limit, plan: dict[str, Any], ledger: Ledger, draw: random.Random) -> None:
    """Reserve and settle, over and over, until killed."""
    while True:
        cost = draw.randint(1, plan["most_cost"])
        try:
            reservation = await limit.reserve(cost, wait=draw.choice((0, 20, 10_000, 10_000)))
        except LimitReachedError as refused:
            await asyncio.sleep(min(refused.retry_after_ms / 1000, 0.05))
            continue
        spent = draw.randint(0, cost) if plan["settles"] and draw.random() < 0.7 else cost
        # Before it is settled: whoever is killed in between has given nothing back, and less is noted than counts.
        ledger.note("spent", f"{reservation.granted_at_us}:{spent}")
        await asyncio.sleep(draw.random() * 0.01)
        if spent != cost:
            await reservation.settle(spent)


async def main(plan: dict[str, Any]) -> None:
    """Use the limit from several coroutines."""
    if plan["plant"]:
        for name in ("RESERVE", "SETTLE"):
            source = getattr(limit_scripts, name).source
            changed = source.replace(b"local PLACES = BUCKETS + 1", b"local PLACES = BUCKETS - 20")
            assert changed != source
            setattr(limit_scripts, name, Script(name.lower() + "_limit", partial(bytes, changed)))
    ledger = Ledger(Path(plan["folder"]) / "ledger")
    windows = [Window(most, per=per_ms) for most, per_ms in plan["windows"]]
    async with Limit(plan["name"], *windows, connection=plan["url"]) as limit:
        ledger.note("ready", str(plan["seed"]))
        draws = [random.Random(plan["seed"] * USERS + number) for number in range(USERS)]
        await asyncio.gather(*(use(limit, plan, ledger, draw) for draw in draws))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
