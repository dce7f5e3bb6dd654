"""Adding flows to the queues of harnesses; in Redis, lua/add_flow.lua."""

from collections.abc import Sequence

from bullworks.bullmq.errors import addition_error
from bullworks.bullmq.job.new_job import NewJob
from bullworks.testing.memory.family import MemoryFamily
from bullworks.testing.memory.jobs import MemoryJobs

# As lua/add_flow.lua answers.
_MISSING_PARENT, _OTHER_PARENT = -5, -7

Placed = tuple[MemoryJobs, NewJob]
"""A new job, and the queue that it is for."""


def join(*queues: MemoryJobs) -> None:
    """Allow the jobs of these queues to be each other's parents and children."""
    family = MemoryFamily(*queues)
    for queue in queues:
        queue.family = family


def add_flow(jobs: Sequence[Placed]) -> list[str]:
    """Add trees of jobs, parents before their children; all or none. Returns an id for each.

    Args:
        jobs: at least one; their queues are joined, and each has an id.

    Raises:
        ParentError: a parent is missing, or a job of that id has another; nothing was added.
        NoHarnessError: a root's own parent is in a queue that is on no harness; nothing was added.
        NotSimulatedError: a job deduplicates otherwise than by id and ttl; nothing was added.
    """
    family = jobs[0][0].family
    refuse(jobs, family)
    # All children are open before any is looked at: one that is completed already must not release a parent that still
    # gets others.
    for queue, new in jobs:
        if new.opts.parent is not None:
            family.adopt(new.opts.parent.key, queue.keys.of(new.id))
    ids: list[str] = []
    for queue, new in jobs:
        job_id = queue.add(new)
        if new.opts.parent is not None and job_id != new.id:
            # Deduplicated: the parent does not wait for a job that was not added.
            family.disown(new.opts.parent.key, queue.keys.of(new.id))
        ids.append(job_id)
    for queue, new in jobs:
        if new.waits_for_children:
            family.release_if_alone(queue.keys.of(new.id))
    return ids


def refuse(jobs: Sequence[Placed], family: MemoryFamily) -> None:
    """Refuse all of the jobs if one of them cannot be added.

    Raises:
        ParentError: a parent is missing, or a job of that id has another.
        NoHarnessError: a parent is in a queue that is on no harness.
        NotSimulatedError: a job deduplicates otherwise than by id and ttl.
    """
    in_flow: set[str] = set()
    for queue, new in jobs:
        queue.refuse_unsimulated(new)
        parent = new.opts.parent
        if parent is not None and parent.key not in in_flow and not family.has(parent.key):
            raise addition_error(_MISSING_PARENT, new.name, parent.key)
        if parent is not None and queue.has_other_parent(new.id, parent.key):
            raise addition_error(_OTHER_PARENT, new.name, parent.key)
        in_flow.add(queue.keys.of(new.id))
