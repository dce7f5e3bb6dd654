"""Running a cron of this process now."""

import asyncio
from typing import Any

from bullworks.board.api.call import Answer, Call
from bullworks.board.errors import RefusedError

WAIT_S = 10.0
"""How long a request waits for the run to end; after that the run continues unwatched."""


async def run_cron(call: Call) -> Answer | dict[str, Any]:
    """Run a cron once, outside its schedule and without a claim; its overlap rule still applies."""
    name = call.params["cron"]
    registry = call.board.crons
    job = None if registry is None else registry.get_cron_jobs().get(name)
    if job is None:
        raise RefusedError(404, "INTERNAL_SERVER_ERROR", "no cron of this name is in this process", code="NO_CRON")
    task = job.fire_soon()
    if task is None:
        raise RefusedError(
            409,
            "INTERNAL_SERVER_ERROR",
            "its previous run is still in progress, or its schedule is closing",
            code="CONFLICT",
        )
    # the task is the schedule's own: it outlives this request
    await asyncio.wait((task,), timeout=WAIT_S)
    if not task.done():
        call.remember("still running")
        return Answer(202, {"message": f"still running after {WAIT_S:.0f} s; its result will be on this page"})
    if task.cancelled():
        raise RefusedError(
            409, "INTERNAL_SERVER_ERROR", "it was interrupted because the process is closing", code="CONFLICT"
        )
    run = task.result()
    if run.error is not None:
        # its text may hold anything; it is in the log and in the cron's record
        kind = type(run.error).__name__
        raise RefusedError(409, "INTERNAL_SERVER_ERROR", f"it failed: {kind}", code="CRON_FAILED")
    call.remember(f"took {run.duration_ms} ms")
    return {"message": f"ran in {run.duration_ms} ms"}
