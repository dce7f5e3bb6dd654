"""QueueCancelling: ends jobs by their ids, also those that a worker is running, wherever that is."""

from collections.abc import Iterable

from bullworks.bullmq.cancel.terms import CancelOutcome, stored_reason
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace


class QueueCancelling:
    """A part of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    scripts: Scripts
    tracing: Tracing | None

    async def cancel(
        self, job_id: str, reason: str | None = None, *, cancel_children: bool = True, remove: bool = False
    ) -> CancelOutcome:
        """Cancel a job, whatever it does now and wherever it runs; it is not tried again.

        One that does not run yet ends at once: failed, with the reason "cancelled: <reason>". Of one that runs, the
        worker is told: its handler is stopped, or, where it takes the job's signal, ends as it likes. Whatever happens
        to that worker, the job ends once and is not run again. A worker of npm bullmq needs some lines for it, see
        docs/beyond-bullmq.md; without them it runs the attempt to its end.

        Args:
            job_id: of the job; it may have ended.
            reason: a text, at most 1,000 characters.
            cancel_children: cancel the jobs below it too that have not ended.
            remove: jobs that do not run are removed, not kept as failed. One that runs ends as failed all the same.

        Returns:
            "cancelled", "requested", "finished", "missing" or "scheduled", see CancelOutcome.

        Raises:
            InvalidOptionError: the reason is not such a text.
        """
        outcomes = await self.cancel_many((job_id,), reason, cancel_children=cancel_children, remove=remove)
        return outcomes[job_id]

    async def cancel_many(
        self, job_ids: Iterable[str], reason: str | None = None, *, cancel_children: bool = True, remove: bool = False
    ) -> dict[str, CancelOutcome]:
        """Cancel jobs as `cancel` does, up to 100 a trip. Returns what came of each, by id."""
        text, ids = stored_reason(reason), list(dict.fromkeys(job_ids))
        attributes = {TelemetryAttributes.BULK_COUNT: len(ids)}
        with trace(self.tracing, "cancel", attributes=attributes):
            outcomes = await self.scripts.cancel_jobs(ids, text, removes=remove, children=cancel_children)
        return dict(zip(ids, outcomes, strict=True))
