"""Cancelling one job, or all that are active, from our pages; workers are told wherever they run."""

from collections import Counter
from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.errors import RefusedError, invalid
from bullworks.bullmq import CancelOutcome, InvalidOptionError

MOST_JOBS = 10_000
"""Of active ones, in one request."""
_IDS_A_READ = 1_000

_WORDS: dict[CancelOutcome, str] = {
    "cancelled": "cancelled",
    "requested": "its worker is told to stop it",
    "finished": "it had ended before",
    "scheduled": "it stays: its job scheduler needs it",
}


async def cancel_job(call: Call) -> dict[str, Any]:
    """Cancel a job with the jobs below it; the body may hold a `reason`."""
    reason = _reason(call)
    try:
        outcome = await call.queue.cancel(call.job_id, reason)
    except InvalidOptionError as error:
        raise invalid("INVALID_REQUEST_BODY", str(error), field="reason") from None
    if outcome == "missing":
        raise RefusedError(404, "JOB_NOT_FOUND")
    call.remember(reason)
    return {"outcome": outcome, "message": _WORDS[outcome]}


async def cancel_active(call: Call) -> dict[str, Any]:
    """Cancel the jobs that are active now, MOST_JOBS of them at most; the body may say a `reason`."""
    reason = _reason(call)
    outcomes: Counter[CancelOutcome] = Counter()
    # All are read first: what becomes active meanwhile is not meant.
    job_ids: list[str] = []
    for start in range(0, MOST_JOBS, _IDS_A_READ):
        page = await call.queue.scripts.ids(("active",), start, start + _IDS_A_READ - 1, asc=False)
        job_ids += page
        if len(page) < _IDS_A_READ:
            break
    try:
        outcomes.update((await call.queue.cancel_many(job_ids, reason)).values())
    except InvalidOptionError as error:
        raise invalid("INVALID_REQUEST_BODY", str(error), field="reason") from None
    message = f"{outcomes['requested'] + outcomes['cancelled']} of {len(job_ids)} cancelled"
    call.remember(f"{message}: {reason}")
    return {"done": outcomes["requested"] + outcomes["cancelled"], "of": len(job_ids), "message": message}


def _reason(call: Call) -> str:
    """What the body says, else who asks: a job tells by whom it was cancelled."""
    reason = call.body.get("reason")
    return reason if isinstance(reason, str) and reason else f"by {call.who} on the board"
