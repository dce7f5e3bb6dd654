"""Why a sync did not end well. No text here holds the source's URL: a key may be in it."""

from dataclasses import dataclass

from bullworks.errors import FactError


class SyncError(FactError):
    """A sync failed."""


@dataclass(eq=False)
class SyncSourceError(SyncError):
    """The other service did not return its data this time."""

    host: str
    reason: str

    def __str__(self) -> str:
        return f"nothing to sync from {self.host}: {self.reason}"


@dataclass(eq=False)
class LateSyncError(SyncError):
    """A later holder of the lock has stored its copy already; this older copy was discarded."""

    source: str
    fence: int

    def __str__(self) -> str:
        return f"the sync of {self.source} with the fence {self.fence} is late: a later one has stored its copy"
