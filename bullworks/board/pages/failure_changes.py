"""Retrying or removing all jobs of a queue that failed alike. Each is looked at again in the step that changes it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.api.checks import whole
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.pages.failure_groups import MOST_JOBS, Group, groups_of
from bullworks.bullmq import Job, JobNotFoundError, JobStateError, QueueError
from bullworks.bullmq.scripts.glance import GlanceScripts
from bullworks.bullmq.wire import codec
from bullworks.redis import ServerError

_JOBS_AT_ONCE = 100
_NOTED_CHARS = 200

_Change = Callable[[Call, str], Awaitable[None]]


async def retry_group(call: Call) -> dict[str, Any]:
    """Retry the jobs of a failure group, the earliest failure first."""
    return await _change_all(call, await _group(call), _retry, "retried")


async def remove_group(call: Call) -> dict[str, Any]:
    """Remove the jobs of a failure group; jobs retried in the meantime stay."""
    return await _change_all(call, await _group(call), _remove, "removed")


async def _group(call: Call) -> Group:
    """The one that the path names, as it is now, among as many jobs as the page looked at."""
    newest = whole(call.body.get("newest", MOST_JOBS), 1, MOST_JOBS)
    if newest is None:
        raise invalid("INVALID_REQUEST_BODY", f"newest must be 1 .. {MOST_JOBS}", field="newest")
    found = await groups_of(call.entry, newest)
    for group in found.groups:
        if group.id == call.params["group"]:
            return group
    raise RefusedError(404, "JOB_NOT_FOUND", f"no job among the newest {newest} failed jobs has this failure any more")


async def _change_all(call: Call, group: Group, change: _Change, done_word: str) -> dict[str, Any]:
    """In chunks, so that a queue's other clients are served between."""
    of = len(group.job_ids)
    oldest_first = group.job_ids[::-1]
    done = moved = kept = 0
    for at in range(0, of, _JOBS_AT_ONCE):
        for error in await _outcomes(call, oldest_first[at : at + _JOBS_AT_ONCE], change):
            if error is None:
                done += 1
            elif isinstance(error, JobStateError | JobNotFoundError):
                moved += 1
            else:
                kept += 1
        call.remember(f"{done} of {of} {done_word}: {group.error[:_NOTED_CHARS]}")
    message = f"{done} of {of} {done_word}"
    if moved:
        message += f"; {moved} were retried or removed in the meantime"
    if kept:
        message += f"; {kept} cannot be (a scheduler needs it, one below it runs, or it cannot be read)"
    return {"done": done, "of": of, "moved": moved, "kept": kept, "message": message}


async def _outcomes(call: Call, job_ids: Sequence[str], change: _Change) -> list[BaseException | None]:
    """None for each that was done, else why it was not.

    Raises:
        RedisError: Redis went away; what was done until then stays done.
    """
    outcomes = await asyncio.gather(*(change(call, job_id) for job_id in job_ids), return_exceptions=True)
    for outcome in outcomes:
        # ValueError: options that are no JSON
        if outcome is not None and not isinstance(outcome, QueueError | ServerError | ValueError):
            raise outcome
    return outcomes


async def _retry(call: Call, job_id: str) -> None:
    queue = call.queue
    # its options say where in the line it belongs; the rest of it may be large
    fields = await GlanceScripts(queue.connection, queue.keys).fields(job_id, (codec.OPTS,))
    await Job(queue.scripts, job_id, fields).retry("failed")


async def _remove(call: Call, job_id: str) -> None:
    await call.queue.scripts.remove_job(job_id, children=True, state="failed")
