"""SyncWorker: syncs every minute, and when a job asks for it; never in two processes at once."""

import logging
from typing import Any

from app.modules.sync.service import SOURCE, SyncService
from bullworks.bullmq import Job, UnrecoverableError
from bullworks.locks import DistributedLockService, Lock
from bullworks.schedule import CronExpression, cron
from bullworks.workers import WorkerHost, processor

log = logging.getLogger(__name__)

# Longer than any sync takes; it is extended while one is in progress.
_LOCK_MS = 60_000
_WAIT_MS = 30_000


@processor("sync")
class SyncWorker(WorkerHost):
    """Processes the queue `sync`: jobs `{"source": "api"}`, repeated ones included."""

    def __init__(self, lock_service: DistributedLockService, sync: SyncService) -> None:
        self.lock_service = lock_service
        self.sync = sync

    @cron(CronExpression.EVERY_MINUTE)
    async def sync_data(self) -> None:
        """Sync on schedule, unless another process is syncing."""
        lock = await self.lock_service.acquire("sync-data", _LOCK_MS)

        if lock is None:
            log.info("Another instance is already syncing")
            return

        try:
            await self.perform_sync(lock)
        finally:
            await self.lock_service.release("sync-data")

    async def process(self, job: Job) -> Any:
        """Sync for a job, returning `{"synced_at_ms": ..., "bytes": ...}`; waits for a sync in progress first."""
        if not isinstance(job.data, dict) or job.data.get("source") != SOURCE:
            raise UnrecoverableError(f'the job\'s data needs {{"source": "{SOURCE}"}}')
        async with self.lock_service.hold("sync-data", _LOCK_MS, wait=_WAIT_MS, auto_extend=True) as lock:
            return await self.perform_sync(lock)

    async def perform_sync(self, lock: Lock) -> dict[str, int]:
        """Perform one sync."""
        snapshot = await self.sync.sync(lock)
        log.debug("synced %d bytes, fence %d", len(snapshot.body), snapshot.fence)
        return {"synced_at_ms": snapshot.synced_at_ms, "bytes": len(snapshot.body)}
