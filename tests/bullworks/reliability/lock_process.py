"""Somebody who wants a lock, in a process of its own: `python -m tests.bullworks.reliability.lock_process JSON`."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bullworks.locks import DistributedLockService, Lock, LockError, lock_scripts
from bullworks.redis.script import Script
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.lock_history import note

ROOT = Path(__file__).parents[3]

# Work is done in steps, and the deadline is looked at between them.
_STEP_S = 0.01


@dataclass
class Protected:
    """What the lock is for: a file that takes a write only with a fence as high as any it has seen."""

    folder: Path
    ledger: Ledger

    def write(self, fence: int) -> bool:
        """Whether the write was taken."""
        number = os.open(self.folder / "protected", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(number, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            highest = int(file.read() or 0)
            accepted = fence >= highest
            if accepted:
                # In place and in one call: a process that is killed here leaves the old fence or the new one.
                os.pwrite(number, f"{fence:020}".encode(), 0)
            self.ledger.note("accepted" if accepted else "refused", str(fence))
            return accepted


class LockProcess:
    """The process, seen from the test.

    Args:
        url: of the server, or of the proxy before it.
        folder: for the ledger, the protected file and the log.
        name: of the lock.
        seed: of what it does.
        plant: "del" for a release that deletes whatever lock there is.
    """

    def __init__(self, url: str, folder: Path, name: str, *, seed: int, plant: str | None = None) -> None:
        plan = {"url": url, "folder": str(folder), "name": name, "seed": seed, "plant": plant}
        self._log = folder / f"process-{seed}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.bullworks.reliability.lock_process", json.dumps(plan)],
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

    def pause(self) -> None:
        """SIGSTOP: it does nothing, and does not know."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and collect it; fine if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


async def hold(lock: Lock, draw: random.Random, protected: Protected, holder: str) -> None:
    """Work under the lock, often for longer than it lasts, and write as if it were held all the time."""
    ledger, loop = protected.ledger, asyncio.get_running_loop()
    note(ledger, "granted", holder, lock.fence, loop.time())
    until_s = loop.time() + draw.choice((0.01, 0.05, 0.15, 0.5))
    noted_s = 0.0
    while loop.time() < until_s:
        if lock.deadline_s != noted_s:
            noted_s = lock.deadline_s
            note(ledger, "until", holder, lock.fence, noted_s)
        await asyncio.sleep(_STEP_S)
        protected.write(lock.fence)
    note(ledger, "ended", holder, lock.fence, loop.time())
    await lock.release()


async def main(plan: dict[str, Any]) -> None:
    """Acquire, work and release, over and over, until killed."""
    folder, seed = Path(plan["folder"]), plan["seed"]
    ledger = Ledger(folder / "ledger")
    protected = Protected(folder, ledger)
    draw = random.Random(seed)
    if plan["plant"] == "del":
        source = lock_scripts.RELEASE.source.replace(b"if owner == token then", b"if true then")
        assert source != lock_scripts.RELEASE.source
        lock_scripts.RELEASE = Script("release_lock", lambda: source)
    async with DistributedLockService(connection=plan["url"]) as locks:
        ledger.note("ready", str(seed))
        while True:
            ttl_ms = draw.choice((100, 200, 400))
            wait = draw.choice((None, 50, 2_000))
            try:
                lock = await locks.acquire(plan["name"], ttl_ms, wait=wait, auto_extend=draw.random() < 0.3)
            except LockError:
                ledger.note("unreachable", str(seed))
                continue
            if lock is None:
                await asyncio.sleep(_STEP_S)
            else:
                await hold(lock, draw, protected, str(seed))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
