"""Tracing: the spans and metrics of one queue, sent to its telemetry. Without one, nothing here runs."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

from bullworks.bullmq.telemetry.interface import (
    Attributes,
    AttributeValue,
    Counter,
    Histogram,
    Meter,
    Span,
    SpanKind,
    Telemetry,
)
from bullworks.bullmq.telemetry.names import MetricNames, TelemetryAttributes
from bullworks.bullmq.telemetry.safe import SafeTelemetry

Ended = Literal["completed", "failed", "delayed", "retried", "waiting", "waiting-children"]
"""What became of an attempt, as metrics have it."""

_COUNTERS: dict[Ended, str] = {
    "completed": MetricNames.JOBS_COMPLETED,
    "failed": MetricNames.JOBS_FAILED,
    "delayed": MetricNames.JOBS_DELAYED,
    "retried": MetricNames.JOBS_RETRIED,
    "waiting": MetricNames.JOBS_WAITING,
    "waiting-children": MetricNames.JOBS_WAITING_CHILDREN,
}


class TracedCall:
    """The span of an operation in progress, for the code inside."""

    __slots__ = ("_context", "_span", "_telemetry")

    def __init__(self, telemetry: SafeTelemetry, span: Span[Any], context: Any) -> None:
        self._telemetry = telemetry
        self._span = span
        self._context = context

    @property
    def metadata(self) -> str | None:
        """The trace context of this span, for a job to carry; None if there is none."""
        return self._telemetry.get_metadata(self._context) or None

    def set_attributes(self, attributes: Mapping[str, AttributeValue | None]) -> None:
        """Set the attributes that are not None."""
        self._span.set_attributes(_without_none(attributes))

    def add_event(self, name: str, attributes: Attributes) -> None:
        self._span.add_event(name, attributes)


class UntracedCall:
    """A TracedCall that does nothing, for when there is no telemetry."""

    metadata: None = None

    def set_attributes(self, attributes: Mapping[str, AttributeValue | None]) -> None: ...

    def add_event(self, name: str, attributes: Attributes) -> None: ...


_UNTRACED = nullcontext(UntracedCall())


class Tracing:
    """Spans and metrics of one queue.

    Attributes:
        worker: what each span of a worker says of it; empty: this is a producer's.

    Raises:
        InvalidOptionError: the telemetry is none.
    """

    def __init__(
        self, telemetry: Telemetry[Any] | SafeTelemetry, queue_name: str, worker: Mapping[str, str] | None = None
    ) -> None:
        self.telemetry = telemetry if isinstance(telemetry, SafeTelemetry) else SafeTelemetry(telemetry)
        self.worker = worker or {}
        self._queue_name = queue_name
        self._counters: dict[Ended, Counter] = {}
        self._durations: Histogram | None = None

    @contextmanager
    def call(
        self,
        operation: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        destination: str | None = None,
        attributes: Mapping[str, AttributeValue | None] | None = None,
    ) -> Iterator[TracedCall]:
        """Trace an operation in a span, active while it runs; an error is recorded and raised again.

        Args:
            operation: as BullMQ names it.
            destination: the second word of the span's name; default: the queue.
            attributes: besides the queue's and the worker's.
        """
        span = self.start(operation, kind, self._queue_name if destination is None else destination)
        try:
            if attributes or self.worker:
                span.set_attributes(_without_none({**self.worker, **(attributes or {})}))
            context = span.set_span_on_context(self.telemetry.active())
            with self.telemetry.with_context(context):
                yield TracedCall(self.telemetry, span, context)
        except BaseException as error:
            span.record_exception(error)
            raise
        finally:
            span.end()

    def start(self, operation: str, kind: SpanKind, destination: str, context: Any = None) -> Span[Any]:
        """Start a span; the caller ends it."""
        name = f"{operation} {destination}" if destination else operation
        span = self.telemetry.start_span(name, kind=kind, context=context)
        span.set_attributes(
            {TelemetryAttributes.QUEUE_NAME: self._queue_name, TelemetryAttributes.QUEUE_OPERATION: operation}
        )
        return span

    def count(self, job_name: str, state: Ended, processed_on: int | None) -> None:
        """Count an attempt that ended or was postponed, and its duration."""
        attributes: Attributes = {
            TelemetryAttributes.QUEUE_NAME: self._queue_name,
            TelemetryAttributes.JOB_NAME: job_name,
            TelemetryAttributes.JOB_STATE: state,
        }

        def tell(meter: Meter) -> None:
            self._counter(meter, state).add(1, attributes)
            if processed_on:
                self._duration(meter).record(max(now_ms() - processed_on, 0), attributes)

        self.telemetry.measure(tell)

    def record_counts(self, counts: Mapping[str, int]) -> None:
        """Record how many jobs each state holds now."""

        def tell(meter: Meter) -> None:
            gauge = meter.create_gauge(
                MetricNames.QUEUE_JOBS_COUNT, description="Number of jobs in the queue by state", unit="{jobs}"
            )
            for state, count in counts.items():
                attributes = {
                    TelemetryAttributes.QUEUE_NAME: self._queue_name,
                    TelemetryAttributes.QUEUE_JOBS_STATE: state,
                }
                gauge.record(count, attributes)

        self.telemetry.measure(tell)

    def _counter(self, meter: Meter, state: Ended) -> Counter:
        counter = self._counters.get(state)
        if counter is None:
            counter = meter.create_counter(_COUNTERS[state], description=f"Number of jobs {state}", unit="1")
            self._counters[state] = counter
        return counter

    def _duration(self, meter: Meter) -> Histogram:
        if self._durations is None:
            self._durations = meter.create_histogram(
                MetricNames.JOB_DURATION, description="Job processing duration", unit="ms"
            )
        return self._durations


def trace(
    tracing: Tracing | None,
    operation: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    destination: str | None = None,
    attributes: Mapping[str, AttributeValue | None] | None = None,
) -> AbstractContextManager[TracedCall | UntracedCall]:
    """Trace an operation with `tracing.call(...)`, or do nothing without tracing."""
    if tracing is None:
        return _UNTRACED
    return tracing.call(operation, kind=kind, destination=destination, attributes=attributes)


def detached(tracing: Tracing | None) -> AbstractContextManager[object]:
    """Start background work outside the caller's trace: its spans are not children of the caller's."""
    if tracing is None:
        return nullcontext()
    return tracing.telemetry.with_context(tracing.telemetry.root())


def now_ms() -> int:
    """Read the wall clock, ms since the epoch."""
    return time.time_ns() // 1_000_000


def _without_none(attributes: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {name: value for name, value in attributes.items() if value is not None}
