"""AttemptTracing: a span for each attempt of a worker, from where its job was added, until its outcome is stored."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from app.bullmq.errors import QueueError
from app.bullmq.job import Job
from app.bullmq.job_fields import JobFields
from app.bullmq.outcome import Outcome
from app.bullmq.telemetry.interface import Span, SpanKind
from app.bullmq.telemetry.job_tracing import OPERATIONS, attributes_of, count, keep_metadata, source_of
from app.bullmq.telemetry.names import TelemetryAttributes
from app.bullmq.telemetry.tracing import Tracing, now_ms

log = logging.getLogger(__name__)


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


class AttemptTracing:
    """Of one worker. What goes wrong in its telemetry is logged, and the jobs run all the same."""

    def __init__(self, tracing: Tracing, queue_name: str) -> None:
        self._tracing = tracing
        self._queue_name = queue_name
        self._attempts: dict[JobFields[Any, Any], _Attempt] = {}

    def attempt(self, job: Job[Any, Any]) -> AbstractContextManager[object]:
        """What the handler runs in."""
        try:
            attempt = self._attempts[job] = self._begin(job)
        except Exception as error:  # noqa: BLE001 - the telemetry is the user's
            self._failed(error)
            return nullcontext()
        return self._tracing.telemetry.context_manager.with_context(attempt.context)

    def reporting(self, report: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
        """`report`, with a span from now until the outcome is stored."""

        def traced(outcome: Outcome) -> None:
            self._outlived(self._ended, outcome)
            report(outcome)

        return traced

    def storing(self, on_stored: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
        """`on_stored`, and the listeners that it tells, as part of the attempt, which is over with it."""

        def traced(outcome: Outcome) -> None:
            attempt = self._attempts.pop(outcome.job, None)
            with self._within(attempt):
                on_stored(outcome)
            self._outlived(self._stored, outcome, attempt)

        return traced

    def refusing(self, on_refused: Callable[[Outcome, QueueError], None]) -> Callable[[Outcome, QueueError], None]:
        """The same for an outcome that Redis does not take."""

        def traced(outcome: Outcome, error: QueueError) -> None:
            attempt = self._attempts.pop(outcome.job, None)
            with self._within(attempt):
                on_refused(outcome, error)
            if attempt is not None:
                self._outlived(attempt.span.record_exception, error)
                self._outlived(attempt.end, outcome.job)

        return traced

    def moved(self, job: Job[Any, Any]) -> None:
        """Its handler put it elsewhere."""
        attempt = self._attempts.pop(job, None)
        if attempt is not None:
            self._outlived(attempt.end, job)

    def close(self) -> None:
        """Of outcomes that could not be stored nothing more will be heard."""
        for job, attempt in self._attempts.items():
            self._outlived(attempt.end, job)
        self._attempts.clear()

    def _begin(self, job: Job[Any, Any]) -> _Attempt:
        manager = self._tracing.telemetry.context_manager
        source, context = source_of(job), manager.active()
        if source is not None:
            context = manager.from_metadata(context, source)
        span = self._tracing.start("process", SpanKind.CONSUMER, self._queue_name, context)
        span.set_attributes({**self._tracing.worker, **attributes_of(job)})
        return _Attempt(span, span.set_span_on_context(context))

    def _ended(self, outcome: Outcome) -> None:
        attempt = self._attempts.get(outcome.job)
        if attempt is None or outcome.kind not in OPERATIONS:
            return
        if outcome.error is not None:
            attempt.span.record_exception(outcome.error)
        manager = self._tracing.telemetry.context_manager
        storing = self._tracing.start(OPERATIONS[outcome.kind], SpanKind.INTERNAL, self._queue_name, attempt.context)
        storing.set_attributes(attributes_of(outcome.job))
        attempt.span.set_attributes({TelemetryAttributes.JOB_ATTEMPTS_MADE: outcome.job.attempts_made + 1})
        attempt.storing = storing
        keep_metadata(outcome, manager.get_metadata(storing.set_span_on_context(attempt.context)))

    def _stored(self, outcome: Outcome, attempt: _Attempt | None) -> None:
        count(self._tracing, outcome)
        if attempt is None:
            return
        if outcome.kind == "complete":
            result = outcome.value if isinstance(outcome.value, str) else outcome.value.decode()
            attempt.span.add_event("job completed", {TelemetryAttributes.JOB_RESULT: result})
        elif outcome.error is not None:
            attempt.span.add_event("job failed", {TelemetryAttributes.JOB_FAILED_REASON: str(outcome.value)})
        attempt.end(outcome.job)

    def _within(self, attempt: _Attempt | None) -> AbstractContextManager[object]:
        if attempt is None:
            return nullcontext()
        return self._tracing.telemetry.context_manager.with_context(attempt.context)

    def _outlived(self, step: Callable[..., None], *args: Any) -> None:
        try:
            step(*args)
        except Exception as error:  # noqa: BLE001 - the telemetry is the user's
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        log.error(
            "queue %s: the telemetry failed: %s: %s",
            self._queue_name,
            type(error).__name__,
            error,
            extra={"queue": self._queue_name},
        )
