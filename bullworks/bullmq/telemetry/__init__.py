"""What an observer of queues implements, and where the engine tells it."""

from bullworks.bullmq.telemetry.interface import (
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
from bullworks.bullmq.telemetry.job_telemetry import JobTelemetry, TelemetryOptions
from bullworks.bullmq.telemetry.names import MetricNames, TelemetryAttributes

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
