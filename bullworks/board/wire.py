"""Job options by npm bullmq's public names, as the page reads and writes them; and by the engine's, as it takes them.

Source: BullMQ 6.7, JobsOptions, and what its Queue.add stores.
"""

from collections.abc import Mapping
from typing import Any

from bullworks.board.errors import invalid
from bullworks.bullmq import DeduplicationOptions, JobOptions, RepeatOptions
from bullworks.bullmq.wire.job_options import METADATA, OMIT_CONTEXT, PUBLIC_OF_STORED, public_name

_TELEMETRY = {METADATA: "metadata", OMIT_CONTEXT: "omitContext"}
# All but the telemetry, which is of whoever adds.
_PUBLIC = {public_name(option): option for option in JobOptions.__annotations__ if option != "telemetry"}
_WITHIN = {
    "deduplication": {public_name(part): part for part in DeduplicationOptions.__annotations__},
    "repeat": {public_name(part): part for part in RepeatOptions.__annotations__},
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
            public[PUBLIC_OF_STORED.get(str(name), str(name))] = value
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
