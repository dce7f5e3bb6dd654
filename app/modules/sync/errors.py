"""Why a sync did not end well. No text here holds the source's URL: a key may be in it."""


class SyncError(Exception):
    """A sync failed."""


class SyncSourceError(SyncError):
    """The other service did not return its data this time."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(host, reason)
        self.host = host
        self.reason = reason

    def __str__(self) -> str:
        return f"nothing to sync from {self.host}: {self.reason}"


class LateSyncError(SyncError):
    """A later holder of the lock has stored its copy already; this older copy was discarded."""

    def __init__(self, source: str, fence: int) -> None:
        super().__init__(source, fence)
        self.source = source
        self.fence = fence

    def __str__(self) -> str:
        return f"the sync of {self.source} with the fence {self.fence} is late: a later one has stored its copy"
