"""The option `telemetry` of a job: where in a trace it was added."""

from dataclasses import dataclass
from typing import TypedDict

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks


class TelemetryOptions(TypedDict, total=False):
    """A job's telemetry, all optional.

    Attributes:
        metadata: the context it belongs to, as the telemetry's context manager writes it; default: that of `add`.
        omit_context: True means the job carries none, and its processing begins a trace of its own.
    """

    metadata: str
    omit_context: bool


@dataclass(frozen=True, slots=True)
class JobTelemetry:
    """A job's telemetry options after validation."""

    metadata: str | None = None
    omit_context: bool = False

    @classmethod
    def of(cls, value: object) -> "JobTelemetry":
        """Validate a user's telemetry options.

        Raises:
            InvalidOptionError: no dict, an unknown key, or a value of the wrong type.
        """
        given = checks.parts("telemetry", value, TelemetryOptions.__annotations__)
        metadata = given.get("metadata")
        if metadata is not None and not isinstance(metadata, str):
            raise InvalidOptionError("telemetry.metadata", f"must be a string, not {metadata!r}")
        return cls(metadata, checks.flag("telemetry.omit_context", given.get("omit_context", False)))

    def carrying(self, metadata: str) -> "JobTelemetry":
        """Add the trace context in which the job is added, unless it has one or must have none."""
        return self if self.metadata or self.omit_context else JobTelemetry(metadata)
