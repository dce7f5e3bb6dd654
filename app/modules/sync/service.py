"""One sync, and what came of the last."""

from app.modules.sync.settings import SyncSettings
from app.modules.sync.store import Snapshot, SnapshotStore
from bullworks.core import injectable
from bullworks.locks import Lock

SOURCE = "api"
"""The one source that there is."""


@injectable()
class SyncService:
    """Copies the data at SYNC_SOURCE_URL. If that is unset, a sync only records that it ran."""

    def __init__(self, settings: SyncSettings, store: SnapshotStore) -> None:
        self.settings = settings
        self.store = store

    async def sync(self, lock: Lock) -> Snapshot:
        """Fetch and store a copy under a lock, with the lock's fence.

        Raises:
            SyncSourceError: there was nothing to be had.
            LateSyncError: the lock ran out meanwhile, and another has synced since.
        """
        url = self.settings.sync_source_url
        body = b""
        if url is not None:
            from app.modules.sync.source import fetch  # importing httpx takes a tenth of a second

            body = await fetch(url.get_secret_value(), timeout_s=self.settings.sync_timeout_ms / 1000)
        return await self.store.save(SOURCE, lock.fence, body)

    async def get_last(self) -> Snapshot | None:
        """Read the last copy, if there is any."""
        return await self.store.get(SOURCE)
