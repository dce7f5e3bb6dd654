"""wait_until_finished: what a job returned, once it has, told by the queue's events."""

import asyncio
from typing import Any, Protocol

from app.bullmq import payload
from app.bullmq.durations import Duration, to_ms
from app.bullmq.errors import InvalidOptionError, JobFailedError, JobNotFoundError, JobWaitTimeoutError
from app.bullmq.job_waits import JobWaits, Sighting
from app.bullmq.keys import QueueKeys


class EventSource(Protocol):
    """What tells of a queue's jobs: a QueueEvents, or what a Queue, FlowProducer or Worker shares among its jobs."""

    @property
    def keys(self) -> QueueKeys: ...

    @property
    def waits(self) -> JobWaits: ...

    async def start(self) -> None: ...


class WaitedStore(Protocol):
    """Where the job lies."""

    keys: QueueKeys
    events: EventSource | None

    async def read_ending(self, job_id: str, /) -> Sighting: ...


async def wait_until_finished(
    store: WaitedStore, job_id: str, queue_events: EventSource | None, ttl: Duration | None
) -> Any:
    """See Job.wait_until_finished."""
    events = store.events if queue_events is None else queue_events
    if events is None:
        raise InvalidOptionError(
            "queue_events", "is needed: this job is of no Queue, FlowProducer or Worker that would share its own"
        )
    if events.keys.base != store.keys.base:
        raise InvalidOptionError("queue_events", f"is of queue {events.keys.base}, the job of {store.keys.base}")
    ttl_ms = checked_ttl(ttl)
    limit = asyncio.timeout(None if ttl_ms is None else ttl_ms / 1000)
    try:
        async with limit:
            await events.start()
            ending = await events.waits.ending(job_id, store.read_ending)
    except TimeoutError:
        if ttl_ms is not None and limit.expired():
            raise JobWaitTimeoutError(job_id, store.keys.name, ttl_ms) from None
        raise
    if ending.kind == "removed":
        raise JobNotFoundError(job_id, "wait_until_finished")
    if ending.kind == "failed":
        raise JobFailedError(job_id, ending.value.decode("utf-8", "replace"))
    return payload.decode(ending.value) if ending.value else None


def checked_ttl(ttl: Duration | None) -> int | None:
    """In ms. Raises InvalidOptionError."""
    if ttl is None:
        return None
    try:
        return to_ms(ttl, "ttl", least=1)
    except ValueError as error:
        raise InvalidOptionError("ttl", str(error).removeprefix("ttl ")) from None
