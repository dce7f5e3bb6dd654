"""Job options by npm bullmq's public names, as the page reads and writes them; and by the engine's, as it takes them.

Source: BullMQ 6.7, JobsOptions, and what its Queue.add stores.
"""

from collections.abc import Mapping
from typing import Any

from bullworks.board.errors import invalid
from bullworks.bullmq import JobOptions

_SHORT = {
    "de": "deduplication",
    "fpof": "failParentOnFailure",
    "cpof": "continueParentOnFailure",
    "idof": "ignoreDependencyOnFailure",
    "rdof": "removeDependencyOnFailure",
    "kl": "keepLogs",
}
"""What options are called in Redis, where that is another name than the public one."""

_TELEMETRY = {"tm": "metadata", "omc": "omitContext"}

_PUBLIC = {
    "attempts": "attempts",
    "backoff": "backoff",
    "continueParentOnFailure": "continue_parent_on_failure",
    "deduplication": "deduplication",
    "delay": "delay",
    "expires": "expires",
    "failParentOnFailure": "fail_parent_on_failure",
    "ignoreDependencyOnFailure": "ignore_dependency_on_failure",
    "jobId": "job_id",
    "keepLogs": "keep_logs",
    "lifo": "lifo",
    "parent": "parent",
    "priority": "priority",
    "removeDependencyOnFailure": "remove_dependency_on_failure",
    "removeOnComplete": "remove_on_complete",
    "removeOnFail": "remove_on_fail",
    "repeat": "repeat",
    "sizeLimit": "size_limit",
    "stackTraceLimit": "stack_trace_limit",
    "timeout": "timeout",
    "timestamp": "timestamp",
}
_WITHIN = {
    "deduplication": {"keepLastIfActive": "keep_last_if_active"},
    "repeat": {"startDate": "start_date", "endDate": "end_date"},
}


def public_options(stored: Any) -> dict[str, Any]:
    """Convert a job's stored options to their public names, as in npm bullmq's `job.opts`."""
    if not isinstance(stored, dict):
        return {"attempts": 0}
    public: dict[str, Any] = {"attempts": 0}
    for name, value in stored.items():
        telemetry = _TELEMETRY.get(name)
        if telemetry is not None:
            public.setdefault("telemetry", {})[telemetry] = value
        elif name != "repeatJobKey":
            public[_SHORT.get(str(name), str(name))] = value
    backoff = public.get("backoff")
    if isinstance(backoff, int | float) and not isinstance(backoff, bool):
        public["backoff"] = {"type": "fixed", "delay": backoff}
    return public


def engine_options(public: Mapping[str, Any], *, ignore_unknown: bool = False) -> JobOptions:
    """Convert options from a request to the options of Queue.add.

    Args:
        ignore_unknown: leave out what the engine does not know, as telemetry of Node's, instead of refusing it.

    Raises:
        RefusedError: an unknown option.
    """
    options = JobOptions()
    for name, value in public.items():
        if value is None:
            continue
        known = _PUBLIC.get(name)
        if known is not None:
            options[known] = _part(name, value)  # type: ignore[literal-required]  # the engine checks both
        elif not ignore_unknown:
            raise invalid("INVALID_REQUEST_BODY", f"there is no job option {name!r}", field=f"options.{name}")
    return options


def _part(name: str, value: Any) -> Any:
    """The value of one option, where it is made of several."""
    renamed = _WITHIN.get(name)
    if renamed is None or not isinstance(value, dict):
        return value
    return {renamed.get(part, part): item for part, item in value.items() if item is not None}
