"""JobSnapshot: what may be shown of a job, as it was at one moment."""

import asyncio
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq import InvalidPayloadError, Queue
from bullworks.bullmq.events.event_id import EventId
from bullworks.bullmq.events.reader import event_bounds
from bullworks.bullmq.scripts.glance import GlanceScripts
from bullworks.bullmq.wire import codec, payload

_SHOWN_STATES = {"prioritized": "waiting"}
_FIELDS = (codec.NAME, codec.PROGRESS, codec.RETURN_VALUE, codec.FAILED_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSnapshot:
    """A job's name, state and progress, and how it ended.

    Attributes:
        name: None means that there is no such job.
        state: as BullMQ names it, but "waiting" for a prioritized one too, as events do not tell them apart; "removed"
            for a job that is not there.
        progress, result: JSON; None for none.
        newest: the last event that had happened before the job was read.
    """

    name: str | None
    state: str
    progress: Any
    result: Any
    failed_reason: str | None
    newest: EventId


async def read_snapshot(queue: Queue[Any], job_id: str) -> JobSnapshot:
    """Read a job in one trip."""
    # In this order: an event that comes between the reads is heard again, and none is missed.
    (_, newest), state, fields = await asyncio.gather(
        event_bounds(queue.connection, queue.keys),
        queue.get_job_state(job_id),
        GlanceScripts(queue.connection, queue.keys).fields(job_id, _FIELDS),
    )
    name = fields.get(codec.NAME)
    is_there = name is not None and state != "unknown"
    reason = fields.get(codec.FAILED_REASON)
    return JobSnapshot(
        name=name.decode("utf-8", "replace") if name is not None and is_there else None,
        state=_SHOWN_STATES.get(state, state) if is_there else "removed",
        progress=_json(fields.get(codec.PROGRESS)),
        result=_json(fields.get(codec.RETURN_VALUE)) if state == "completed" else None,
        failed_reason=reason.decode("utf-8", "replace") if reason is not None and state == "failed" else None,
        newest=newest,
    )


def _json(stored: bytes | None) -> Any:
    """What is stored as JSON; None for nothing, and for what is not JSON."""
    if not stored:
        return None
    try:
        value = payload.decode(stored)
        payload.check(value)
    except (ValueError, InvalidPayloadError):
        return None
    return value
