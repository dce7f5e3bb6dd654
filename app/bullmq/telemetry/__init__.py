"""What an observer of queues implements, and where the engine tells it."""

from app.bullmq.telemetry.interface import (
    Attributes,
    AttributeValue,
    ContextManager,
    Counter,
    Gauge,
    Histogram,
    Meter,
    Span,
    SpanKind,
    Telemetry,
    Tracer,
)
from app.bullmq.telemetry.job_telemetry import JobTelemetry, TelemetryOptions
from app.bullmq.telemetry.names import MetricNames, TelemetryAttributes

__all__ = [
    "AttributeValue",
    "Attributes",
    "ContextManager",
    "Counter",
    "Gauge",
    "Histogram",
    "JobTelemetry",
    "Meter",
    "MetricNames",
    "Span",
    "SpanKind",
    "Telemetry",
    "TelemetryAttributes",
    "TelemetryOptions",
    "Tracer",
]
