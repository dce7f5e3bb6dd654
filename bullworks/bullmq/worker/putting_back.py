"""What becomes of a job whose payload this process is too old to read."""

import logging

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
    # By Redis's clock: a process an hour behind would take it again at once, on and on.
    due_ms = (job.processed_on or 0) + PUT_BACK_MS
    return Outcome("postpone", job, job.token or "", extra=due_ms)
