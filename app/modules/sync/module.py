"""The module of this feature."""

from app.modules.sync.service import SyncService
from app.modules.sync.store import SnapshotStore
from bullworks.core import module, provide
from bullworks.settings import Settings, SyncSettings


def _sync_settings() -> SyncSettings:
    return Settings.load().sync


@module(
    providers=[SyncService, SnapshotStore, provide(SyncSettings, use_factory=_sync_settings)],
    exports=[SyncService],
)
class SyncModule:
    """SyncService: fetches the copy, and reads it."""
