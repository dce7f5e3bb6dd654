"""Reporter: tells listeners and the log what became of jobs, and costs next to nothing where nobody listens."""

import logging
from collections.abc import Callable
from typing import Any

from bullworks.bullmq.errors import QueueError
from bullworks.bullmq.events.emitter import Emitter
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome

log = logging.getLogger(__name__)

WORKER_EVENTS = frozenset(
    {
        "active", "completed", "failed", "progress", "stalled", "drained", "paused", "resumed", "ready", "closing",
        "closed", "error", "lock_renewal_failed", "locks_renewed",
    }
)  # fmt: skip
"""Names and arguments: active(job, prev) · completed(job, result, prev) · failed(job, error, prev) ·
progress(job, progress) · stalled(job_id, prev) · drained() · paused() · resumed() · ready() · closing(message) ·
closed() · error(error) · lock_renewal_failed(job_ids) · locks_renewed(info). Source: BullMQ's WorkerListener."""


class Reporter:
    """Emits the events and log lines of one worker.

    Attributes:
        measure: told of each outcome that Redis has, if set; cheaper than events, and trusted not to raise.
    """

    def __init__(self, queue_name: str) -> None:
        self.emitter = Emitter(WORKER_EVENTS, queue_name)
        self.measure: Callable[[Outcome], None] | None = None
        self._queue_name = queue_name

    def active(self, job: Job) -> None:
        if self.emitter.has("active"):
            self.emitter.emit("active", job, "waiting", job_id=job.id)

    def progress(self, job: Job, progress: Any) -> None:
        self.emitter.emit("progress", job, progress, job_id=job.id)

    def drained(self) -> None:
        """All jobs that were taken have ended, and there is none to take."""
        self.emitter.emit("drained")

    def stalled(self, job_id: str) -> None:
        self.emitter.emit("stalled", job_id, "active", job_id=job_id)

    def locks_renewed(self, job_ids: list[str]) -> None:
        self.emitter.emit("locks_renewed", {"count": len(job_ids), "job_ids": job_ids})

    def locks_lost(self, job_ids: list[str], reason: str) -> None:
        """The locks of these running jobs are gone; with no ids, none could be renewed, and none is gone yet."""
        if job_ids:
            log.warning(
                "queue %s: the locks of %d running jobs are lost (%s); they run again elsewhere, and what they "
                "return here is refused",
                self._queue_name,
                len(job_ids),
                reason,
                extra={"queue": self._queue_name, "job_ids": job_ids[:100]},
            )
        self.emitter.emit("lock_renewal_failed", job_ids)

    def stored(self, outcome: Outcome) -> None:
        """Report an outcome that Redis stored."""
        if self.measure is not None:
            self.measure(outcome)
        if outcome.kind == "complete":
            if log.isEnabledFor(logging.INFO):
                log.info("job %s completed", outcome.job.id, extra=self._facts(outcome))
            if self.emitter.has("completed"):
                outcome.job.absorb(outcome.fields)
                self.emitter.emit("completed", outcome.job, outcome.result, "active", job_id=outcome.job.id)
        elif outcome.error is not None:
            self._failed(outcome, outcome.error)
        else:
            log.info("job %s handed back, no attempt spent", outcome.job.id, extra=self._facts(outcome))

    def refused(self, outcome: Outcome, error: QueueError) -> None:
        """Report an outcome that Redis refused: the job was removed, or has another worker by now."""
        log.warning("%s", error, extra=self._facts(outcome))
        self.emitter.emit("error", error, job_id=outcome.job.id)

    def _failed(self, outcome: Outcome, error: BaseException) -> None:
        job = outcome.job
        facts = self._facts(outcome)
        if outcome.kind == "fail":
            log.error("job %s failed: %s", job.id, outcome.value, extra=facts)
        else:
            delay_ms = outcome.extra if outcome.kind == "delay" else 0
            log.warning("job %s failed, next attempt in %s ms: %s", job.id, delay_ms, outcome.value, extra=facts)
        if self.emitter.has("failed"):
            job.absorb(outcome.fields)
            self.emitter.emit("failed", job, error, "active", job_id=job.id)

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "queue": self._queue_name,
            "job_id": outcome.job.id,
            "attempt": outcome.job.attempts_made + 1,
            "duration_ms": outcome.duration_ms,
        }
