"""Changing all jobs of a queue, or all queues."""

from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.queues import BoardQueue
from bullworks.board.security import Action
from bullworks.bullmq import FinishedState
from bullworks.bullmq.job.state import CLEANABLE_STATES

_RETRIABLE: tuple[FinishedState, ...] = ("failed", "completed")
CLEAN_GRACE_MS = 5_000
"""What ended, or was added, later than this ago stays: whoever pressed the button cannot have seen it."""


async def pause_all(call: Call) -> dict[str, Any]:
    """Pause every queue that the caller may pause."""
    for entry in await _changeable(call, "pause"):
        if not await entry.queue.is_paused():
            await entry.queue.pause()
    return {}


async def resume_all(call: Call) -> dict[str, Any]:
    """Resume every queue that the caller may resume."""
    for entry in await _changeable(call, "resume"):
        if await entry.queue.is_paused():
            await entry.queue.resume()
    return {}


async def pause(call: Call) -> dict[str, Any]:
    """Pause the queue: no worker takes a job."""
    await call.queue.pause()
    return {}


async def resume(call: Call) -> dict[str, Any]:
    """Resume the queue: workers take jobs again."""
    await call.queue.resume()
    return {}


async def retry_all(call: Call) -> dict[str, Any]:
    """Retry all failed, or all completed, jobs; `skipped` counts ids without a job."""
    status = call.params["status"]
    state: FinishedState | None = next((state for state in _RETRIABLE if state == status), None)
    if state is None:
        raise RefusedError(400, "STATUS_NOT_RETRIABLE", options={"status": status})
    total = (await call.queue.get_job_counts(state))[state]
    retried = await call.queue.retry_jobs(state)
    return {"retried": retried, "skipped": max(0, total - retried)}


async def promote_all(call: Call) -> dict[str, Any]:
    """Move all delayed jobs to wait."""
    await call.queue.promote_jobs()
    return {}


async def clean(call: Call) -> dict[str, Any]:
    """Remove all jobs in one state."""
    for state in CLEANABLE_STATES:
        if state == call.params["status"]:
            await call.queue.clean(CLEAN_GRACE_MS, state)  # type: ignore[arg-type]  # it is one of the literals
            return {}
    raise invalid("INVALID_REQUEST_BODY", f"jobs of the state {call.params['status']!r} cannot be cleaned")


async def empty(call: Call) -> dict[str, Any]:
    """Remove all waiting jobs."""
    await call.queue.drain()
    return {}


async def obliterate(call: Call) -> dict[str, Any]:
    """Remove the queue, which must be paused, with everything in it."""
    force = call.body.get("force", False)
    if not isinstance(force, bool):
        raise invalid("INVALID_REQUEST_BODY", field="force")
    call.remember("with force" if force else "")
    if not await call.queue.is_paused():
        raise RefusedError(400, "QUEUE_NOT_PAUSED")
    await call.queue.obliterate(force=force)
    return {}


async def _changeable(call: Call, action: Action) -> list[BoardQueue]:
    entries = await call.board.visible_queues(call.who)
    return [entry for entry in entries if await call.board.may(call.who, action, entry)]
