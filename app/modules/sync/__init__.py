"""Keeps a copy of what another service has."""

from app.modules.sync.errors import LateSyncError, SyncSourceError
from app.modules.sync.module import SyncModule
from app.modules.sync.service import SyncService
from app.modules.sync.store import Snapshot

__all__ = ["LateSyncError", "Snapshot", "SyncModule", "SyncService", "SyncSourceError"]
