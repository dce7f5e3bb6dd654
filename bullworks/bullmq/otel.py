"""OpenTelemetry for queues and workers: what npm's `bullmq-otel` is there, and what jobs carry is the same.

    from bullworks.bullmq.otel import BullMQOtel

    telemetry = BullMQOtel(enable_metrics=True)
    queue = Queue("email", connection=..., telemetry=telemetry)

Needs the extra `otel`. Which spans and metrics are kept, and where they go, is said to OpenTelemetry's own SDK.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from bullworks.bullmq.telemetry.interface import Attributes, AttributeValue, SpanKind
from bullworks.extras import require

require("otel", "bullworks.bullmq.otel")

from opentelemetry import context as otel_context
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context

_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
}


class BullMQOtel:
    """The Telemetry that `Queue`, `Worker` and `FlowProducer` take.

    Args:
        tracer_name, meter_name, version: under which OpenTelemetry knows spans and metrics.
        enable_metrics: count how jobs end, too.
        tracer_provider, meter_provider: default: OpenTelemetry's global ones.
    """

    def __init__(
        self,
        *,
        tracer_name: str = "bullmq",
        meter_name: str = "bullmq",
        version: str | None = None,
        enable_metrics: bool = False,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self.tracer = OtelTracer(trace.get_tracer(tracer_name, version, tracer_provider))
        self.context_manager = OtelContextManager()
        meter = metrics.get_meter(meter_name, version or "", meter_provider) if enable_metrics else None
        self.meter = None if meter is None else OtelMeter(meter)


class OtelContextManager:
    """Propagates OpenTelemetry's context as JSON text, with the configured propagators."""

    @contextmanager
    def with_context(self, context: Context) -> Iterator[None]:
        token = otel_context.attach(context)
        try:
            yield
        finally:
            otel_context.detach(token)

    def active(self) -> Context:
        return otel_context.get_current()

    def root(self) -> Context:
        return Context()

    def get_metadata(self, context: Context) -> str:
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context)
        return json.dumps(carrier, separators=(",", ":"))

    def from_metadata(self, active_context: Context, metadata: str) -> Context:
        try:
            carrier = json.loads(metadata)
        except ValueError:
            return active_context  # of another telemetry than OpenTelemetry's
        if not isinstance(carrier, dict):
            return active_context
        return propagate.extract({name: str(value) for name, value in carrier.items()}, active_context)


class OtelTracer:
    """Starts OpenTelemetry spans."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, *, kind: SpanKind, context: Context | None = None) -> "OtelSpan":
        return OtelSpan(self._tracer.start_span(name, context, _KINDS[kind]))


class OtelSpan:
    """Wraps an OpenTelemetry span, available as `span`."""

    __slots__ = ("span",)

    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def set_span_on_context(self, context: Context) -> Context:
        return trace.set_span_in_context(self.span, context)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.span.set_attribute(key, value)

    def set_attributes(self, attributes: Attributes) -> None:
        self.span.set_attributes(attributes)

    def add_event(self, name: str, attributes: Attributes | None = None) -> None:
        self.span.add_event(name, attributes)

    def record_exception(self, exception: BaseException | str) -> None:
        """Record the exception and mark the span as failed, which backends display and sample by."""
        text = str(exception)
        if isinstance(exception, BaseException):
            self.span.record_exception(exception)
        else:
            self.span.add_event("exception", {"exception.message": text})
        self.span.set_status(trace.StatusCode.ERROR, text)

    def end(self) -> None:
        self.span.end()


class OtelMeter:
    """Creates OpenTelemetry instruments."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._meter = meter

    def create_counter(self, name: str, *, description: str, unit: str) -> metrics.Counter:
        return self._meter.create_counter(name, unit, description)

    def create_histogram(self, name: str, *, description: str, unit: str) -> metrics.Histogram:
        return self._meter.create_histogram(name, unit, description)

    def create_gauge(self, name: str, *, description: str, unit: str) -> "OtelGauge":
        return OtelGauge(self._meter.create_gauge(name, unit, description))


class OtelGauge:
    """Adapts `record` to OpenTelemetry's gauge, which names it otherwise."""

    def __init__(self, gauge: "metrics._Gauge") -> None:
        self._gauge = gauge

    def record(self, value: float, attributes: Attributes | None = None) -> None:
        self._gauge.set(value, attributes)
