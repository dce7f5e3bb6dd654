"""Job options on the wire: one row an option, with its name in Redis and how its value is written and read.

Source: BullMQ 6.7, JobsOptions, and what its Queue.add stores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from bullworks.bullmq.options.backoff import Backoff
from bullworks.bullmq.options.deduplication import Deduplication, DeduplicationOptions
from bullworks.bullmq.options.expiry import Expiry
from bullworks.bullmq.options.job import CHECKS, Check
from bullworks.bullmq.options.parent import ChildFailure, Parent
from bullworks.bullmq.options.retention import Retention

METADATA = "tm"
OMIT_CONTEXT = "omc"

CHILD_FAILURES: dict[ChildFailure, str] = {
    "fail_parent": "fpof",
    "continue_parent": "cpof",
    "ignore_dependency": "idof",
    "remove_dependency": "rdof",
}


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option of a job.

    Attributes:
        name: in JobOptions.
        stored: its name in the JSON of a job's options; "" stands for `name`.
        field: of JobOpts; "" stands for `name`.
        write: what is stored for the field's value, or None to leave it out; None stores the value as it is.
        read: (name, stored value) -> the field and its value; None takes the check of the option.
    """

    name: str
    stored: str = ""
    field: str = ""
    write: Callable[[Any], Any] | None = None
    read: Check | None = None


def _if_set(value: Any) -> Any:
    return value or None


def _if_policy(policy: ChildFailure) -> Callable[[Any], Any]:
    return lambda chosen: True if chosen == policy else None


def _write_deduplication(deduplication: Deduplication) -> dict[str, Any]:
    script = deduplication.to_script()
    return {stored: script[name] for stored, name in _DEDUPLICATION.items() if name in script}


def _read_deduplication(option: str, wire: Any) -> tuple[str, Deduplication]:
    known = wire if isinstance(wire, dict) else {}
    return option, Deduplication.of({name: known[key] for key, name in _DEDUPLICATION.items() if known.get(key)})


def _write_parent(parent: Parent) -> dict[str, str]:
    return {"id": parent.id, "queue": parent.queue}


def _read_job_id(option: str, value: Any) -> tuple[str, str]:
    """Node may have stored an id that is refused for a new job."""
    return option, str(value)


# In the order in which they are stored.
ROWS = (
    OptionRow("attempts"),
    OptionRow("backoff", write=Backoff.to_wire),
    OptionRow("lifo", write=_if_set),
    OptionRow("remove_on_complete", "removeOnComplete", write=Retention.to_wire),
    OptionRow("remove_on_fail", "removeOnFail", write=Retention.to_wire),
    OptionRow("deduplication", "de", write=_write_deduplication, read=_read_deduplication),
    OptionRow("parent", write=_write_parent),
    *(
        OptionRow(f"{policy}_on_failure", stored, "on_child_failure", _if_policy(policy))
        for policy, stored in CHILD_FAILURES.items()
    ),
    # Two that are stored are one of ours: see codec.decode_opts.
    OptionRow("telemetry", METADATA, write=attrgetter("metadata")),
    OptionRow("telemetry", OMIT_CONTEXT, write=lambda telemetry: telemetry.omit_context or None),
    OptionRow("delay", field="delay_ms", write=_if_set),
    OptionRow("priority", write=_if_set),
    OptionRow("job_id", "jobId", read=_read_job_id),
    OptionRow("timestamp"),
    OptionRow("timeout", field="timeout_ms"),
    OptionRow("expires", write=Expiry.to_wire),
    OptionRow("keep_logs", "kl"),
    OptionRow("stack_trace_limit", "stackTraceLimit"),
    OptionRow("size_limit", "sizeLimit"),
)

WRITERS = tuple((row.stored or row.name, row.write) for row in ROWS)
"""(name in Redis, how the value is written), in the order of `VALUES`."""

VALUES = attrgetter(*(row.field or row.name for row in ROWS))
"""From JobOpts to the values of its fields."""

READERS = tuple(
    (row.stored or row.name, row.name, row.read or CHECKS[row.name]) for row in ROWS if row.name != "telemetry"
)
"""(name in Redis, option, how it is read); telemetry is not among them."""


def public_name(name: str) -> str:
    """An option's name in npm bullmq: `keep_logs` -> `keepLogs`."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


_DEDUPLICATION = {public_name(name): name for name in DeduplicationOptions.__annotations__}

PUBLIC_OF_STORED = {
    row.stored: public_name(row.name)
    for row in ROWS
    if row.name != "telemetry" and row.stored not in {"", public_name(row.name)}
}
"""npm bullmq's name of what is stored by a shorter one."""
