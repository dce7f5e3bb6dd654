"""Changing one job, or adding one."""

import time
from typing import Any

from bullworks.board.api.call import Answer, Call
from bullworks.board.api.checks import whole
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.redaction import check_is_whole
from bullworks.board.wire import engine_options
from bullworks.bullmq import Job, JobState, JobStateError, SchedulerJobError
from bullworks.bullmq.options.job import HIGHEST_PRIORITY_NUMBER

DONE = Answer(204)


async def add(call: Call) -> dict[str, Any]:
    """Add a job to the queue."""
    name, options = call.body.get("name", ""), call.body.get("options")
    if not isinstance(name, str) or not name:
        raise invalid("INVALID_REQUEST_BODY", "a job needs a name", field="name")
    if not isinstance(options, dict | None):
        raise invalid("INVALID_REQUEST_BODY", field="options")
    data = call.body.get("data", {})
    check_is_whole(data)
    job = await call.queue.add(name, call.board.redaction.restore(data, None), **engine_options(options or {}))
    call.remember(name, job=job.id)
    return {"job": await call.describe_job(job.id), "status": await job.get_state()}


async def retry(call: Call) -> Answer:
    """Move a finished job back to wait."""
    job, state = await _job(call)
    if state == "failed" or state == "completed":  # noqa: PLR1714 - narrowed to what retry() takes
        await job.retry(state)
        return DONE
    raise RefusedError(400, "JOB_NOT_RETRIABLE", options={"state": state})


async def clean(call: Call) -> Answer:
    """Remove a job."""
    job, _ = await _job(call)
    try:
        await job.remove()
    except SchedulerJobError:
        facts = {"jobId": job.id, "jobSchedulerId": job.repeat_job_key or ""}
        raise RefusedError(
            400,
            "JOB_BELONGS_TO_JOB_SCHEDULER",
            {"key": "ERRORS.JOB_BELONGS_TO_JOB_SCHEDULER_DETAILS", "options": facts},
            code="JOB_BELONGS_TO_JOB_SCHEDULER",
            jobSchedulerId=job.repeat_job_key or "",
        ) from None
    return DONE


async def promote(call: Call) -> Answer:
    """Move a delayed job to wait."""
    job, state = await _job(call)
    try:
        await job.promote()
    except JobStateError:
        raise RefusedError(400, "JOB_NOT_DELAYED", options={"status": state}) from None
    return DONE


async def update_data(call: Call) -> dict[str, Any]:
    """Replace a job's data; secrets that were hidden keep their values."""
    if "jobData" not in call.body:
        raise invalid("INVALID_REQUEST_BODY", field="jobData")
    job, _ = await _job(call)
    edited = call.body["jobData"]
    check_is_whole(edited)
    try:
        stored = job.data
    except ValueError:
        stored = None  # it is no JSON, which is what the editor is opened for
    await job.update_data(call.board.redaction.restore(edited, stored))
    return {}


async def change_delay(call: Call) -> dict[str, Any]:
    """Change when a delayed job is due."""
    run_at_ms = whole(call.body.get("runAt"), 0)
    if run_at_ms is None:
        raise invalid("INVALID_RUN_AT")
    call.remember(f"due at {run_at_ms}")
    job, state = await _job(call)
    if state != "delayed":
        raise RefusedError(400, "JOB_NOT_DELAYED", options={"status": state})
    await job.change_delay(max(0, run_at_ms - int(time.time() * 1000)))
    return {}


async def change_priority(call: Call) -> dict[str, Any]:
    """Change a job's priority; 0 means no priority."""
    priority = whole(call.body.get("priority"), 0, HIGHEST_PRIORITY_NUMBER)
    if priority is None:
        raise invalid("INVALID_PRIORITY", max=HIGHEST_PRIORITY_NUMBER)
    call.remember(str(priority))
    job, _ = await _job(call)
    await job.change_priority(priority=priority)
    return {}


async def remove_unprocessed_children(call: Call) -> dict[str, Any]:
    """Remove the children that a job waits for, except active ones."""
    job, _ = await _job(call)
    waiting = (await job.get_dependencies_count()).unprocessed
    if not waiting:
        raise RefusedError(400, "JOB_HAS_NO_UNPROCESSED_CHILDREN")
    await job.remove_unprocessed_children()
    return {"removed": waiting}


async def _job(call: Call) -> tuple[Job, JobState]:
    job = await call.queue.get_job(call.job_id)
    if job is None:
        raise RefusedError(404, "JOB_NOT_FOUND")
    return job, await job.get_state()
