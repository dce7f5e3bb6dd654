"""MemoryFamilyScripts: what a job can ask of its parent and children, done in memory."""

from bullworks.bullmq import Dependencies, DependenciesCount, ParentError
from bullworks.bullmq.job.dependencies import Page, Pages
from bullworks.bullmq.scripts.job import FamilyScripts
from bullworks.testing.memory.family import MemoryFamily
from bullworks.testing.memory.job import Children
from bullworks.testing.memory.jobs import MemoryJobs


class MemoryFamilyScripts(FamilyScripts):
    """The part of MemoryScripts for flows. FamilyScripts documents each method and its errors."""

    jobs: MemoryJobs

    @property
    def family(self) -> MemoryFamily:
        """The queues in which this one's jobs may have relatives."""
        return self.jobs.family

    async def dependencies(self, job_id: str) -> Dependencies:
        return self._children(job_id).read()

    async def dependency_pages(self, job_id: str, pages: Pages) -> Dependencies:
        """Read all children as one page, as Redis does if they are few; failed ones are only counted."""
        found = self._children(job_id).read()
        failed, next_failed = _failed_page(found.failed, pages.failed)
        return Dependencies(
            {} if pages.processed is None else found.processed,
            [] if pages.unprocessed is None else found.unprocessed,
            {} if pages.ignored is None else found.ignored,
            failed,
            next_processed_cursor=None if pages.processed is None else 0,
            next_unprocessed_cursor=None if pages.unprocessed is None else 0,
            next_ignored_cursor=None if pages.ignored is None else 0,
            next_failed_cursor=next_failed,
        )

    async def dependencies_count(self, job_id: str) -> DependenciesCount:
        return self._children(job_id).count()

    async def remove_child_dependency(self, job_id: str) -> bool:
        job = self.jobs.there(job_id, "remove_child_dependency")
        waited = self.family.part(self.keys.of(job_id), job)
        if waited is None:
            raise ParentError(job_id, "its parent", "it has none, or that was removed")
        return waited

    async def remove_unprocessed_children(self, job_id: str) -> int:
        return self.family.remove_unprocessed(self.jobs, job_id)

    def _children(self, job_id: str) -> Children:
        return self.jobs.children.get(job_id, Children())


def _failed_page(failed: list[str], page: Page | None) -> tuple[list[str], int | None]:
    if page is None:
        return [], None
    end = page.cursor + page.count
    return failed[page.cursor : end], end if len(failed) > end else 0
