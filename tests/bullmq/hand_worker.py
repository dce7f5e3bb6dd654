"""HandWorker: takes and finishes one job at a time when a test says so, with the worker's own scripts."""

from __future__ import annotations

import json
from typing import Any

from app.bullmq import Queue
from app.bullmq.scripts import ADVANCE, FETCH

LOCK_MS = 30_000


class HandWorker:
    """Takes jobs as a worker does, and does with them what the test wants."""

    def __init__(self, queue: Queue, *, name: str = "hand", token: str = "token") -> None:
        self._queue = queue
        self._terms: list[Any] = [token, LOCK_MS, name, "", "", ""]
        self.token = token
        self.held = ""

    async def take(self) -> str | None:
        """The id of the next job, now active and locked; None where there is none."""
        jobs, _, _, _ = await self._queue.connection.run(FETCH, (self._queue.keys.base,), [1, *self._terms])
        if not jobs:
            return None
        self.held = jobs[0].decode()
        return self.held

    async def complete(self, value: Any = None) -> None:
        """Store a result for the job taken last."""
        await self._advance("complete", json.dumps(value), "[]", "")

    async def fail(self, reason: str = "boom") -> None:
        """Fail the job taken last for good."""
        await self._advance("fail", reason, json.dumps([f"Error: {reason}"]), "1")

    async def _advance(self, kind: str, value: str, stack: str, extra: str) -> None:
        outcome = [kind, self.held, self.token, value, "", stack, extra]
        args = [0, *self._terms, *outcome]
        codes, *_ = await self._queue.connection.run(ADVANCE, (self._queue.keys.base,), args)
        assert codes == [0], codes
