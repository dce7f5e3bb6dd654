"""Reading one job."""

from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.errors import RefusedError

MOST_LOG_LINES = 2_000
"""Of a log, the newest."""


async def job(call: Call) -> dict[str, Any]:
    """Answer with one job and its state."""
    shown = await call.jobs.read_one(call.entry, call.job_id)
    if shown is None:
        raise RefusedError(404, "JOB_NOT_FOUND")
    return {"job": shown, "status": await call.queue.get_job_state(call.job_id)}


async def logs(call: Call) -> list[str]:
    """Answer with a job's log, oldest line first; long lines are cut."""
    most = call.board.options.shown_bytes
    page = await call.queue.get_job_logs(call.job_id, -MOST_LOG_LINES, -1)
    return [line if len(line) <= most else f"{line[:most]}... ({len(line)} characters)" for line in page.logs]
