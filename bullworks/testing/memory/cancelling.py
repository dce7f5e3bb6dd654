"""Cancelling jobs in memory; in Redis, lua/cancel_jobs.lua."""

from typing import cast

from bullworks.bullmq import CancelOutcome
from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.wire import codec
from bullworks.bullmq.wire.cancel_codec import CANCEL_REQUESTED
from bullworks.testing.memory.job import MemoryJob
from bullworks.testing.memory.jobs import MemoryJobs

_ENDED = ("completed", "failed")


def cancel(queue: MemoryJobs, job_id: str, reason: str, *, removes: bool, children: bool) -> CancelOutcome:
    """Cancel one job, and with `children` those below it, each after its parent. Returns what came of the one."""
    job = queue.find(job_id)
    if job is None:
        return "missing"
    tree = queue.family.tree(queue, job_id) if children else [(queue, job)]
    outcomes: list[CancelOutcome] = []
    for place, one in tree:
        outcomes.append(_cancel(cast(MemoryJobs, place), one, reason, removes=removes))
    return outcomes[0]


def _cancel(queue: MemoryJobs, job: MemoryJob, reason: str, *, removes: bool) -> CancelOutcome:
    if job.state in _ENDED:
        return "finished"
    if job.state == "active":
        job.fields[codec.DEFERRED_FAILURE] = reason.encode()
        queue.tell(CANCEL_REQUESTED, job.id, reason=reason)
        if queue.on_cancelled is not None:
            queue.on_cancelled(CancelRequest(job.id, job.token or "", reason))
        return "requested"
    if removes:
        prev = job.state
        queue.family.removed(queue.keys.of(job.id), job)
        queue.remove(job)
        queue.tell("removed", job.id, prev=prev)
    else:
        queue.fail_cancelled(job, reason)
    return "cancelled"
