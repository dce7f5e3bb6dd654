"""MemoryDeduplication: which job of a harness's queue stands for which deduplication id."""


class MemoryDeduplication:
    """Deduplication ids and their jobs, by the queue's clock."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, int | None]] = {}

    def owner_of(self, deduplication_id: str, now_ms: int) -> str | None:
        """Find the job that holds an id; None if the id is free."""
        owner, until_ms = self._owners.get(deduplication_id, ("", None))
        if not owner or (until_ms is not None and until_ms <= now_ms):
            return None
        return owner

    def own(self, deduplication_id: str, job_id: str, until_ms: int | None) -> None:
        """Let a job hold an id, until it has ended or, if a time is given, until then."""
        self._owners[deduplication_id] = (job_id, until_ms)

    def free(self, deduplication_id: str) -> None:
        """Free an id, so that jobs with it can be added."""
        self._owners.pop(deduplication_id, None)

    def ended(self, deduplication_id: str | None, job_id: str) -> None:
        """Free the id of a job that has ended, unless the id has a time of its own."""
        if deduplication_id is not None and self._owners.get(deduplication_id) == (job_id, None):
            del self._owners[deduplication_id]

    def removed(self, deduplication_id: str | None, job_id: str) -> None:
        """Free the id of a removed job."""
        if deduplication_id is not None and self._owners.get(deduplication_id, ("", None))[0] == job_id:
            del self._owners[deduplication_id]
