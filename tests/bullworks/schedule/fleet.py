"""Processes that share one distributed cron, the file in which they write their runs, and what was missed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Self

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.schedule.journal.scripts import read_cron
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


class CronFleet:
    """Starts and kills processes, and looks at what they did."""

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name = name
        self.url = url
        self.ledger = folder / "ledger"
        self.log = folder / "log"
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> int:
        """One more process; returns its id once it runs."""
        command = [sys.executable, "-m", "tests.bullworks.schedule.ticking", self.name, self.url, str(self.ledger)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        end_with_tests(process)
        self.processes[process.pid] = process
        assert process.stdout is not None
        assert process.stdout.readline() == b"ticking\n", self.log.read_text()[-2_000:]
        return process.pid

    def kill(self, pid: int) -> None:
        """SIGKILL."""
        process = self.processes.pop(pid)
        process.kill()
        process.communicate(timeout=5)

    def started(self) -> list[tuple[int, int]]:
        """(tick in seconds, process id) of each start so far."""
        text = self.ledger.read_text() if self.ledger.exists() else ""
        return [(int(tick), int(pid)) for tick, pid in (line.split() for line in text.splitlines())]

    def wait_for_more(self, count: int, *, within_s: float = 10.0) -> list[tuple[int, int]]:
        """The starts from now on, once there are so many."""
        before = len(self.started())
        wait_until(lambda: len(self.started()) >= before + count, within_s=within_s, what=f"{count} more runs")
        return self.started()[before:]

    def repeated(self) -> list[int]:
        """Ticks that started more than once."""
        return sorted(tick for tick, count in Counter(tick for tick, _ in self.started()).items() if count > 1)

    def silent(self) -> list[int]:
        """Ticks between the first and the last that did not start."""
        ticks = {tick for tick, _ in self.started()}
        return [tick for tick in range(min(ticks), max(ticks)) if tick not in ticks]

    async def misses(self) -> dict[int, str]:
        """What is listed as missed, tick in seconds -> reason."""
        connection = connection_to(Endpoint.of(self.url))
        try:
            view = await read_cron(connection, self.name)
        finally:
            await connection.close()
        parts = [member.split("|", 2) for member in view.misses]
        return {int(tick) // 1000: reason for tick, _, reason in parts}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate(timeout=5)
