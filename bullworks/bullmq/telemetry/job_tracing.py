"""What spans and metrics say of an attempt that ended, or was put off, as BullMQ has it."""

from collections.abc import Mapping
from typing import Any

from bullworks.bullmq.job.fields import JobFields
from bullworks.bullmq.job.outcome import Kind, Outcome
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Ended, Tracing

OPERATIONS: Mapping[Kind, str] = {"complete": "complete", "fail": "fail", "retry": "retry", "delay": "delay"}
"""Outcomes that have a span of their own."""

_COUNTED: Mapping[Kind, Ended] = {
    "complete": "completed",
    "fail": "failed",
    "retry": "retried",
    "delay": "delayed",
    "postpone": "delayed",
    "suspend": "delayed",
    "hand_back": "waiting",
    "wait_for_children": "waiting-children",
}


def attributes_of(job: JobFields[Any, Any]) -> dict[str, str]:
    """Build the span attributes that identify a job."""
    return {TelemetryAttributes.JOB_NAME: job.name, TelemetryAttributes.JOB_ID: job.id}


def keep_metadata(outcome: Outcome, metadata: str | None) -> None:
    """Store where in a trace an attempt failed, unless its job carries no context."""
    if metadata and outcome.error is not None and not _omits_context(outcome.job):
        outcome.keep_metadata(metadata)


def count(tracing: Tracing, outcome: Outcome) -> None:
    """Count a stored outcome."""
    counted = _COUNTED.get(outcome.kind)
    if counted is not None:
        tracing.count(outcome.job.name, counted, outcome.job.processed_on)


def source_of(job: JobFields[Any, Any]) -> str | None:
    """Read the trace context in which the job was added."""
    try:
        telemetry = job.opts.telemetry
    except ValueError:  # its options are no JSON, for which it fails
        return None
    return None if telemetry is None else telemetry.metadata


def _omits_context(job: JobFields[Any, Any]) -> bool:
    try:
        telemetry = job.opts.telemetry
    except ValueError:
        return False
    return telemetry is not None and telemetry.omit_context
