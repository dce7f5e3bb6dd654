"""JobFamily: what a job can ask of its parent and children."""

from typing import Any

from typing_extensions import Unpack

from bullworks.bullmq.job.dependencies import Dependencies, DependenciesCount, DependenciesOptions, Pages
from bullworks.bullmq.job.store import JobStore


class JobFamily:
    """The methods of Job for flows. Children are named by their Redis keys, `<prefix>:<queue>:<id>`."""

    __slots__ = ()

    id: str
    _store: JobStore

    async def get_children_values(self) -> dict[str, Any]:
        """Read what completed children returned, by Redis key."""
        return (await self._store.dependencies(self.id)).processed

    async def get_ignored_children_failures(self) -> dict[str, str]:
        """Read the failure reasons of children whose failure the job ignores, by Redis key."""
        return (await self._store.dependencies(self.id)).ignored

    async def get_failed_children(self) -> list[str]:
        """Read the Redis keys of the children whose failure fails the job."""
        return (await self._store.dependencies(self.id)).failed

    async def get_dependencies(self, **pages: Unpack[DependenciesOptions]) -> Dependencies:
        """Read all children by state, or a page of the requested states for a job with very many.

        While children end, one may be on two pages, or on none; those that stay where they are are on one at least.

        Args:
            pages: which page of `processed`, `unprocessed`, `ignored`, `failed`, as in {"cursor": 0, "count": 100}.

        Raises:
            InvalidOptionError: no such page.
        """
        checked = Pages.of(pages)
        if checked is None:
            return await self._store.dependencies(self.id)
        return await self._store.dependency_pages(self.id, checked)

    async def get_dependencies_count(self) -> DependenciesCount:
        """Count the children of each state."""
        return await self._store.dependencies_count(self.id)

    async def remove_child_dependency(self) -> bool:
        """Detach the job from its parent, which no longer waits for it. False if the parent did not wait for it.

        Raises:
            JobNotFoundError: this job was removed.
            ParentError: it has no parent, or that was removed.
        """
        return await self._store.remove_child_dependency(self.id)

    async def remove_unprocessed_children(self) -> int:
        """Remove the descendants that are neither finished nor active. Returns how many."""
        return await self._store.remove_unprocessed_children(self.id)
