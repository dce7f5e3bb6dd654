"""The last copy of a source's data, in Redis."""

import time
from dataclasses import dataclass, field
from typing import Annotated

from app.modules.sync.errors import LateSyncError
from app.modules.sync.keys import snapshot_key
from bullworks.core import Inject, injectable
from bullworks.redis import Argument, PipelinedConnection, Script
from bullworks.workers import CONNECTION

_STORE_SNAPSHOT = Script.load("app.modules.sync", "store_snapshot")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a source's data.

    Attributes:
        source: of what.
        fence: of the lock under which it was fetched.
        synced_at_ms: when it was stored, ms since the epoch.
        body: as the source gave it; empty where there is nothing to fetch.
    """

    source: str
    fence: int
    synced_at_ms: int
    body: bytes = field(repr=False)


@injectable()
class SnapshotStore:
    """Stores copies; refuses late ones, whose lock had expired before another process synced."""

    def __init__(self, connection: Annotated[PipelinedConnection, Inject(CONNECTION)]) -> None:
        self.connection = connection

    async def save(self, source: str, fence: int, body: bytes) -> Snapshot:
        """Store a copy as the last one.

        Raises:
            LateSyncError: one with a larger fence is there.
        """
        synced_at_ms = int(time.time() * 1000)
        args: list[Argument] = [fence, synced_at_ms, body]
        if not await self.connection.run(_STORE_SNAPSHOT, (snapshot_key(source),), args):
            raise LateSyncError(source, fence)
        return Snapshot(source, fence, synced_at_ms, body)

    async def get(self, source: str) -> Snapshot | None:
        """Read the last copy, if there is any."""
        fence, synced_at_ms, body = await self.connection.execute(
            "HMGET", snapshot_key(source), "fence", "synced_at_ms", "body"
        )
        return None if fence is None else Snapshot(source, int(fence), int(synced_at_ms), body)
