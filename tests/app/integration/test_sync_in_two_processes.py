"""The guide's SyncWorker in two processes: one runs, the other says so."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.modules.sync.store import Snapshot, SnapshotStore
from bullworks.redis.pipelined import PipelinedConnection
from tests.app.http_server import HttpServer
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
SAID = "Another instance is already syncing"


class SyncProcess:
    """One process of the service, and what it said."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.app.integration.sync_process", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    def tick(self) -> None:
        """Fire the cron once."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    async def has_said(self, line: str, times: int = 1) -> None:
        """Wait until it has."""
        await eventually(lambda: self.lines.count(line) >= times, within_s=20, what=f"{line!r}: {self.lines}")

    def end(self) -> None:
        """Let it close in order, else kill it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=15)
        finally:
            self.process.kill()
            self.process.wait(timeout=5)
            self._reading.join(timeout=5)
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture
async def start(
    http_server: HttpServer, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[], SyncProcess]]:
    """Starts processes that sync from the server."""
    monkeypatch.setenv("SYNC_SOURCE_URL", http_server.url)
    processes: list[SyncProcess] = []

    def run() -> SyncProcess:
        processes.append(SyncProcess(redis_url, key_prefix))
        return processes[-1]

    yield run
    await asyncio.gather(*(asyncio.to_thread(process.end) for process in processes))


@pytest.mark.timeout(60)
async def test_one_syncs_and_the_other_says_so(
    start: Callable[[], SyncProcess], http_server: HttpServer, connection: PipelinedConnection
) -> None:
    """On a full minute both have a tick of their own besides: then both may say so, and still one syncs at a time."""
    http_server.delay_s, http_server.body = 1.0, b"first"
    one, other = start(), start()
    for process in (one, other):
        await process.has_said("ready")
    one.tick()
    await eventually(lambda: http_server.asked, what="one to sync")
    other.tick()
    await other.has_said("done")
    assert SAID in other.lines
    await one.has_said("done")
    assert http_server.most_at_once == 1

    snapshots = SnapshotStore(connection)

    async def copied(body: bytes) -> Snapshot | None:
        snapshot = await snapshots.get("api")
        return snapshot if snapshot is not None and snapshot.body == body else None

    first = await eventually(lambda: copied(b"first"))
    assert first is not None
    http_server.delay_s, http_server.body = 0.0, b"second"
    other.tick()
    await other.has_said("done", times=2)
    second = await copied(b"second")
    assert second is not None
    assert second.fence > first.fence
    assert "hunter2" not in "".join(one.lines + other.lines)
