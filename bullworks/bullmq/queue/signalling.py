"""QueueSignalling: tells a job what it waits for, and runs it again from one of its steps."""

from typing import Any

from bullworks.bullmq.errors import InvalidOptionError, JobNotFoundError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.options import checks
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.steps import SignalOutcome
from bullworks.bullmq.steps.journal import LARGEST_STEP_BYTES, LONGEST_NAME
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.step_codec import StepMark


class QueueSignalling:
    """A part of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    scripts: Scripts
    tracing: Tracing | None

    async def signal(self, job_id: str, name: str, data: Any = None) -> SignalOutcome:
        """Tell a job what its `wait_for(name)` waits for; a signal that comes before the wait is kept for it.

        The first signal of a name counts, so it may be sent again where the answer was lost.

        Args:
            job_id: of a job that has not ended.
            name: of the signal, 1 .. 200 characters.
            data: any JSON, at most 64 KiB.

        Returns:
            "woken": the job waited, and goes on. "kept": it will find it. Of no effect are "repeated", there was one of
            the name, and "late", the wait has timed out.

        Raises:
            JobNotFoundError: there is no such job.
            JobStateError: it has ended.
            InvalidPayloadError: the data is not JSON, or too large.
            TooManySignalsError: the job keeps as many as it may.
        """
        if len(checks.text("signal", name)) > LONGEST_NAME:
            raise InvalidOptionError("signal", f"must be a name of at most {LONGEST_NAME} characters")
        encoded = payload.encode(data, limit_bytes=LARGEST_STEP_BYTES)
        with trace(self.tracing, "signal", attributes={TelemetryAttributes.JOB_ID: job_id}):
            return await self.scripts.signal_job(job_id, name, encoded)

    async def get_steps(self, job_id: str) -> list[StepMark]:
        """Read the steps that a job has come to, in order, without the rest of it; empty if it is gone."""
        return await self.scripts.read_steps(job_id)

    async def retry_from(self, job_id: str, step: str) -> None:
        """Run a finished job again from one of its steps on; see Job.retry_from."""
        fields = await self.scripts.read_fields(job_id)
        if not fields:
            raise JobNotFoundError(job_id, "retry_from")
        job: Job[Any] = Job(self.scripts, job_id, fields)
        await job.retry_from(step)
