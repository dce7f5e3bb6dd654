"""JobFamily: what a job can ask of its parent and children."""

from typing import Any

from app.bullmq.family_scripts import Dependencies, DependenciesCount
from app.bullmq.job_store import JobStore


class JobFamily:
    """The part of Job that flows need. Children are named by their Redis keys, `<prefix>:<queue>:<id>`."""

    __slots__ = ()

    id: str
    _store: JobStore

    async def get_children_values(self) -> dict[str, Any]:
        """What completed children returned, by their key."""
        return (await self._store.dependencies(self.id)).processed

    async def get_ignored_children_failures(self) -> dict[str, str]:
        """Why children failed that the job went on without, by their key."""
        return (await self._store.dependencies(self.id)).ignored

    async def get_failed_children(self) -> list[str]:
        """The keys of children whose failure fails the job."""
        return (await self._store.dependencies(self.id)).failed

    async def get_dependencies(self) -> Dependencies:
        """All children by state; for a job with very many, prefer `get_dependencies_count`."""
        return await self._store.dependencies(self.id)

    async def get_dependencies_count(self) -> DependenciesCount:
        """How many children there are of each state."""
        return await self._store.dependencies_count(self.id)

    async def remove_child_dependency(self) -> bool:
        """Part from the parent, which no longer waits for this job. False: it did not wait for it.

        Raises:
            JobNotFoundError: this job was removed.
            ParentError: it has no parent, or that was removed.
        """
        return await self._store.remove_child_dependency(self.id)

    async def remove_unprocessed_children(self) -> int:
        """Remove the jobs below this one that have not finished and do not run. Returns how many."""
        return await self._store.remove_unprocessed_children(self.id)
