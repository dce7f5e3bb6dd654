"""The module of this feature."""

from app.core import module, provide
from app.modules.sync.service import SyncService
from app.modules.sync.store import SnapshotStore
from app.modules.sync.worker import SyncWorker
from app.settings import Settings, SyncSettings
from app.workers import WorkersModule


def _sync_settings() -> SyncSettings:
    return Settings.load().sync


@module(
    imports=[WorkersModule.register_queue("sync")],
    providers=[SyncWorker, SyncService, SnapshotStore, provide(SyncSettings, use_factory=_sync_settings)],
    exports=[SyncService],
)
class SyncModule:
    """The queue `sync`, SyncWorker, and SyncService for features that read the copy."""
