"""HandWorker: takes and finishes one job at a time when a test says so, with the worker's own scripts."""

from __future__ import annotations

import json
from typing import Any

from bullworks.bullmq import Queue
from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.worker import WorkerScripts

LOCK_MS = 30_000


class HandWorker:
    """Takes jobs as a worker does, and does with them what the test wants."""

    def __init__(self, queue: Queue, *, name: str = "hand", token: str = "token") -> None:
        terms = FetchTerms(LOCK_MS, name)
        self._scripts = WorkerScripts(queue.connection, queue.connection, queue.keys, terms)
        self.token = token
        self.held = ""

    async def take(self) -> str | None:
        """The id of the next job, now active and locked; None where there is none."""
        _, fetched = await self._scripts.advance([], 1, self.token, "")
        if not fetched.jobs:
            return None
        self.held = fetched.jobs[0].decode()
        return self.held

    async def complete(self, value: Any = None) -> None:
        """Store a result for the job taken last."""
        await self._finish("complete", json.dumps(value), "[]", "")

    async def fail(self, reason: str = "boom") -> None:
        """Fail the job taken last for good."""
        await self._finish("fail", reason, json.dumps([f"Error: {reason}"]), "1")

    async def _finish(self, kind: str, value: str, stack: str, extra: str) -> None:
        outcome = (kind, self.held, self.token, value, "", stack, extra)
        codes, _ = await self._scripts.advance([outcome], 0, self.token, "")
        assert codes == [0], codes
