"""When a worker takes a scheduler's job, the next one is put in place.

A scheduler has one pending iteration at any time: `repeat` names it, and a successor is stored only for that one. So
doing this twice, or in two workers, changes nothing; and where a worker dies before it, the iteration is still the
pending one, comes back as stalled, and its next worker does it. Hence the one rule: before the handler starts.
"""

from bullworks.bullmq.errors import QueueError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.scripts.scheduler import IterationExists, SchedulerScripts
from bullworks.bullmq.telemetry.interface import SpanKind
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import trace
from bullworks.bullmq.wire import codec, scheduler_codec

MOST_ALREADY_RUN = 1_000
"""Iterations in a row that ran ahead of their time, past which something is wrong."""


async def store_next_iteration(scripts: SchedulerScripts, job: Job) -> str | None:
    """Store the job that follows `job` in its scheduler; safe to repeat.

    Returns:
        Its id. None means the job is not a scheduler's, was the last one, or has its successor already.

    Raises:
        InvalidOptionError: the pattern, by whomever it was written, is not a cron expression.
        ValueError: the job's options are not JSON.
        ServerError, ConnectionLostError: Redis did not take it.
    """
    scheduler_id = job.repeat_job_key
    if scheduler_id is None:
        return None
    destination = f"{job.queue_name}.{job.name}"
    with trace(scripts.tracing, "add", kind=SpanKind.PRODUCER, destination=destination) as span:
        stored = await _store(scripts, job, scheduler_id, span.metadata)
        span.set_attributes({TelemetryAttributes.JOB_SCHEDULER_ID: scheduler_id, TelemetryAttributes.JOB_ID: stored})
        return stored


async def _store(scripts: SchedulerScripts, job: Job, scheduler_id: str, metadata: str | None) -> str | None:
    successor = scheduler_codec.successor(job.stored(codec.OPTS) or b"{}", scheduler_id, metadata)
    if successor is None:
        return None
    # A job may run ahead of its time; the next one is later than it all the same.
    after_ms = max(job.processed_on or 0, _due_ms(job.id))
    for _ in range(MOST_ALREADY_RUN):
        due_ms = None
        if successor.repeat is not None:
            due_ms = successor.repeat.run_after_ms(after_ms, scheduler_id)
            if due_ms is None:
                return None
        stored = await scripts.next_iteration(job.id, scheduler_id, successor, due_ms)
        if not isinstance(stored, IterationExists):
            return stored
        after_ms = stored.due_ms
    raise QueueError(f"scheduler {scheduler_id}: its next {MOST_ALREADY_RUN} iterations exist already")


def _due_ms(job_id: str) -> int:
    due = job_id.rpartition(":")[2]
    return int(due) if due.isdecimal() else 0
