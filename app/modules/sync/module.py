"""The module of this feature."""

from app.modules.sync.service import SyncService
from app.modules.sync.settings import SyncSettings
from app.modules.sync.store import SnapshotStore
from bullworks.core import module


@module(
    providers=[SyncService, SnapshotStore, SyncSettings],
    exports=[SyncService],
)
class SyncModule:
    """Provides SyncService, which fetches and reads the copy."""
