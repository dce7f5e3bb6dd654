"""Requests to stop jobs, as lua/cancel_jobs.lua writes them: an entry for each worker, with all its jobs of a call."""

from typing import Any

from bullworks.bullmq.cancel.terms import CancelRequest

CANCEL_REQUESTED = "cancel-requested"
"""The event of one's own that tells npm workers, with `jobId` and `reason`. Source: lua/cancel_jobs.lua."""

# `worker`, its id, `reason`, the text; then ids and tokens in turn.
_HEAD = 4


def read_requests(entry: Any) -> tuple[str, list[CancelRequest]]:
    """The worker that an entry of XREAD's reply is for, and what it asks of it.

    Raises:
        ValueError: it is not such an entry.
    """
    _, flat = entry
    if flat is None or len(flat) < _HEAD:
        raise ValueError("a request to cancel jobs names no worker")
    texts = [part.decode("utf-8", "backslashreplace") for part in flat]
    pairs = zip(texts[_HEAD::2], texts[_HEAD + 1 :: 2], strict=True)
    return texts[1], [CancelRequest(job_id, token, texts[3]) for job_id, token in pairs]
