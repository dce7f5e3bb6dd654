"""SyncJob: a job for a handler that runs in a thread."""

import asyncio
from typing import Any

from app.bullmq.job import Job


class SyncJob:
    """The same job; its methods block, and run on the worker's loop."""

    def __init__(self, job: Job[Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)
