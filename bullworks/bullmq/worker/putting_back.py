"""What becomes of a job whose payload this process is too old to read."""

import logging
import time

from bullworks.bullmq.errors import PayloadAheadError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome

log = logging.getLogger(__name__)

# Long enough that an old fleet is not busy with it, short beside a rolling deploy.
PUT_BACK_MS = 5_000


def put_back(job: Job, error: PayloadAheadError) -> Outcome:
    """Build the outcome of a job that waits for a newer worker: it is delayed, with no attempt spent."""
    log.info(
        "job %s waits %d ms for a newer worker: %s",
        job.id,
        PUT_BACK_MS,
        error,
        extra={"job_id": job.id, "queue": job.queue_name},
    )
    due_ms = time.time_ns() // 1_000_000 + PUT_BACK_MS
    return Outcome("postpone", job, job.token or "", extra=due_ms)
