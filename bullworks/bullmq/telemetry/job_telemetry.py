"""The option `telemetry` of a job: where in a trace it was added."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from bullworks.bullmq.errors import InvalidOptionError


class TelemetryOptions(TypedDict, total=False):
    """A job's telemetry, all optional.

    Attributes:
        metadata: the context it belongs to, as the telemetry's context manager writes it; default: that of `add`.
        omit_context: True: the job carries none, and its processing begins a trace of its own.
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
        known = TelemetryOptions.__annotations__
        if not isinstance(value, Mapping):
            raise InvalidOptionError("telemetry", f"must be a dict of {', '.join(sorted(known))}, not {value!r}")
        for part in value:
            if part not in known:
                raise InvalidOptionError.unknown(f"telemetry.{part}", [f"telemetry.{name}" for name in known])
        given: Mapping[str, Any] = value
        metadata, omits = given.get("metadata"), given.get("omit_context", False)
        if metadata is not None and not isinstance(metadata, str):
            raise InvalidOptionError("telemetry.metadata", f"must be a string, not {metadata!r}")
        if not isinstance(omits, bool):
            raise InvalidOptionError("telemetry.omit_context", f"must be True or False, not {omits!r}")
        return cls(metadata, omits)

    def carrying(self, metadata: str) -> "JobTelemetry":
        """Add the trace context in which the job is added, unless it has one or must have none."""
        return self if self.metadata or self.omit_context else JobTelemetry(metadata)
