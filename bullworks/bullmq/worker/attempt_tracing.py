"""AttemptTracing: a span for each attempt of a worker, from where its job was added, until its outcome is stored."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from bullworks.bullmq.errors import QueueError
from bullworks.bullmq.job.fields import JobFields
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.scripts.worker import Fetched
from bullworks.bullmq.telemetry.interface import Span, SpanKind
from bullworks.bullmq.telemetry.job_tracing import OPERATIONS, attributes_of, count, keep_metadata, source_of
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, now_ms
from bullworks.bullmq.worker.job_sink import JobSink


class _Attempt:
    """One, under way.

    Attributes:
        context: in which its span is the present one.
        storing: the span of its outcome on the way to Redis.
    """

    __slots__ = ("context", "span", "storing")

    def __init__(self, span: Span[Any], context: Any) -> None:
        self.span = span
        self.context = context
        self.storing: Span[Any] | None = None

    def end(self, job: JobFields[Any, Any]) -> None:
        if self.storing is not None:
            self.storing.end()
        self.span.set_attributes({TelemetryAttributes.JOB_ATTEMPT_FINISHED_TIMESTAMP: now_ms()})
        if job.processed_on:
            self.span.set_attributes({TelemetryAttributes.JOB_PROCESSED_TIMESTAMP: job.processed_on})
        self.span.end()


class AttemptTracing(JobSink):
    """A JobSink around another: it traces what it is told of, and tells the other.

    Args:
        jobs: the other one.
        tracing: of one worker.
    """

    def __init__(self, jobs: JobSink, tracing: Tracing, queue_name: str) -> None:
        self._jobs = jobs
        self._tracing = tracing
        self._telemetry = tracing.telemetry
        self._queue_name = queue_name
        self._attempts: dict[JobFields[Any, Any], _Attempt] = {}

    def attempt(self, job: Job) -> AbstractContextManager[object]:
        """Start an attempt's span and enter its context, in which the handler runs."""
        source, context = source_of(job), self._telemetry.active()
        if source is not None:
            context = self._telemetry.from_metadata(context, source)
        span = self._tracing.start("process", SpanKind.CONSUMER, self._queue_name, context)
        span.set_attributes({**self._tracing.worker, **attributes_of(job)})
        attempt = self._attempts[job] = _Attempt(span, span.set_span_on_context(context))
        return self._telemetry.with_context(attempt.context)

    def took(self, fetched: Fetched, token: str) -> None:
        """Nothing to trace: a span begins with the attempt."""
        self._jobs.took(fetched, token)

    def lost(self, token: str) -> None:
        """Nothing to trace: no attempt is known of."""
        self._jobs.lost(token)

    def started(self, job: Job) -> None:
        """Nothing to trace: `attempt` has begun the span."""
        self._jobs.started(job)

    def ended(self, outcome: Outcome) -> None:
        """Begin a span that ends when the outcome is stored."""
        attempt = self._attempts.get(outcome.job)
        if attempt is not None and outcome.kind in OPERATIONS:
            self._begin_storing(outcome, attempt)
        self._jobs.ended(outcome)

    def moved(self, job: Job) -> None:
        """End the attempt's span."""
        attempt = self._attempts.pop(job, None)
        if attempt is not None:
            attempt.end(job)
        self._jobs.moved(job)

    def freed(self, job: Job) -> None:
        """Nothing to trace: the outcome is yet to be stored."""
        self._jobs.freed(job)

    def stored(self, outcome: Outcome) -> None:
        """End the attempt's span, of which the listeners are a part that are notified now."""
        attempt = self._attempts.pop(outcome.job, None)
        with self._within(attempt):
            self._jobs.stored(outcome)
        count(self._tracing, outcome)
        if attempt is not None:
            _tell_ending(outcome, attempt.span)
            attempt.end(outcome.job)

    def refused(self, outcome: Outcome, error: QueueError) -> None:
        """End the attempt's span with the error, after the listeners are notified."""
        attempt = self._attempts.pop(outcome.job, None)
        with self._within(attempt):
            self._jobs.refused(outcome, error)
        if attempt is not None:
            attempt.span.record_exception(error)
            attempt.end(outcome.job)

    def close(self) -> None:
        """End the spans of attempts whose outcomes could not be stored."""
        for job, attempt in self._attempts.items():
            attempt.end(job)
        self._attempts.clear()

    def _begin_storing(self, outcome: Outcome, attempt: _Attempt) -> None:
        if outcome.error is not None:
            attempt.span.record_exception(outcome.error)
        attempt.span.set_attributes({TelemetryAttributes.JOB_ATTEMPTS_MADE: outcome.job.attempts_made + 1})
        storing = self._tracing.start(OPERATIONS[outcome.kind], SpanKind.INTERNAL, self._queue_name, attempt.context)
        storing.set_attributes(attributes_of(outcome.job))
        attempt.storing = storing
        keep_metadata(outcome, self._telemetry.get_metadata(storing.set_span_on_context(attempt.context)))

    def _within(self, attempt: _Attempt | None) -> AbstractContextManager[object]:
        return nullcontext() if attempt is None else self._telemetry.with_context(attempt.context)


def _tell_ending(outcome: Outcome, span: Span[Any]) -> None:
    if outcome.kind == "complete":
        result = outcome.value if isinstance(outcome.value, str) else outcome.value.decode()
        span.add_event("job completed", {TelemetryAttributes.JOB_RESULT: result})
    elif outcome.error is not None:
        span.add_event("job failed", {TelemetryAttributes.JOB_FAILED_REASON: str(outcome.value)})
