"""Between Python and what lies in Redis: the one place where BullMQ's wire names stand.

Source: the layout in README.md, checked against what npm bullmq 6.7 writes.
"""

from functools import lru_cache
from typing import Any, cast

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options.deduplication import Deduplication
from bullworks.bullmq.options.job import CHECKS, Check, JobOpts
from bullworks.bullmq.options.parent import ChildFailure, Parent
from bullworks.bullmq.telemetry.job_telemetry import JobTelemetry
from bullworks.bullmq.wire import payload

# Fields of a job's hash.
NAME = b"name"
DATA = b"data"
OPTS = b"opts"
TIMESTAMP = b"timestamp"
DELAY = b"delay"
PRIORITY = b"priority"
PROGRESS = b"progress"
PROCESSED_ON = b"processedOn"
FINISHED_ON = b"finishedOn"
RETURN_VALUE = b"returnvalue"
FAILED_REASON = b"failedReason"
STACK_TRACE = b"stacktrace"
ATTEMPTS_MADE = b"atm"
ATTEMPTS_STARTED = b"ats"
STALLED_COUNTER = b"stc"
PROCESSED_BY = b"pb"
DEFERRED_FAILURE = b"defa"
PARENT_KEY = b"parentKey"
PARENT = b"parent"
DEDUPLICATION_ID = b"deid"
SCHEDULER_ID = b"rjk"
TELEMETRY = b"tm"

OUTCOME_FIELDS = {
    "completed": (FINISHED_ON, PROCESSED_ON, RETURN_VALUE),
    "failed": (FINISHED_ON, PROCESSED_ON, FAILED_REASON),
}
"""What a retry takes away, by the state that the job was in. Source: lua/lib/reprocess.lua."""

_WIRE_NAMES = {
    "attempts": "attempts",
    "backoff": "backoff",
    "delay": "delay",
    "priority": "priority",
    "lifo": "lifo",
    "removeOnComplete": "remove_on_complete",
    "removeOnFail": "remove_on_fail",
    "timestamp": "timestamp",
    "timeout": "timeout",
    "expires": "expires",
    "kl": "keep_logs",
    "stackTraceLimit": "stack_trace_limit",
    "sizeLimit": "size_limit",
}
_CHILD_FAILURES: dict[ChildFailure, str] = {
    "fail_parent": "fpof",
    "continue_parent": "cpof",
    "ignore_dependency": "idof",
    "remove_dependency": "rdof",
}
_DEDUPLICATION = {
    "id": "id",
    "ttl": "ttl",
    "extend": "extend",
    "replace": "replace",
    "reschedule": "reschedule",
    "keepLastIfActive": "keep_last_if_active",
}


# Two wire options are one of ours.
_METADATA = "tm"
_OMIT_CONTEXT = "omc"


def _decode_deduplication(option: str, wire: Any) -> tuple[str, Deduplication]:
    known = wire if isinstance(wire, dict) else {}
    return option, Deduplication.of({name: known[key] for key, name in _DEDUPLICATION.items() if known.get(key)})


_DECODERS: dict[str, tuple[str, Check]] = {
    **{wire: (option, CHECKS[option]) for wire, option in _WIRE_NAMES.items()},
    # Node may have stored an id that we would refuse for a new job.
    "jobId": ("job_id", lambda option, value: (option, str(value))),
    "de": ("deduplication", _decode_deduplication),
    "parent": ("parent", lambda option, wire: (option, Parent.of(wire))),
    **{wire: (f"{policy}_on_failure", CHECKS[f"{policy}_on_failure"]) for policy, wire in _CHILD_FAILURES.items()},
}


def encode_opts(opts: JobOpts) -> bytes:
    """The JSON of `opts` as BullMQ stores it: `attempts` always, the rest where given.

    Kept with them, since the jobs of a queue mostly share theirs.
    """
    if opts.encoded is None:
        object.__setattr__(opts, "encoded", payload.encode(wire_opts(opts)))
    return cast(bytes, opts.encoded)


def wire_opts(opts: JobOpts) -> dict[str, Any]:
    """The same before it is JSON."""
    wire: dict[str, Any] = {"attempts": opts.attempts}
    if opts.backoff is not None:
        wire["backoff"] = opts.backoff.to_wire()
    if opts.lifo:
        wire["lifo"] = True
    if opts.remove_on_complete is not None:
        wire["removeOnComplete"] = opts.remove_on_complete.to_wire()
    if opts.remove_on_fail is not None:
        wire["removeOnFail"] = opts.remove_on_fail.to_wire()
    if opts.deduplication is not None:
        script = opts.deduplication.to_script()
        wire["de"] = {key: script[name] for key, name in _DEDUPLICATION.items() if name in script}
    if opts.parent is not None:
        wire["parent"] = {"id": opts.parent.id, "queue": opts.parent.queue}
    if opts.on_child_failure is not None:
        wire[_CHILD_FAILURES[opts.on_child_failure]] = True
    if opts.telemetry is not None:
        wire.update(_wire_telemetry(opts.telemetry))
    plain = {
        "delay": opts.delay_ms or None,
        "priority": opts.priority or None,
        "jobId": opts.job_id,
        "timestamp": opts.timestamp,
        "timeout": opts.timeout_ms,
        "expires": None if opts.expires is None else opts.expires.to_wire(),
        "kl": opts.keep_logs,
        "stackTraceLimit": opts.stack_trace_limit,
        "sizeLimit": opts.size_limit,
    }
    wire.update((name, value) for name, value in plain.items() if value is not None)
    return wire


def _wire_telemetry(telemetry: JobTelemetry) -> dict[str, Any]:
    wire: dict[str, Any] = {}
    if telemetry.metadata is not None:
        wire[_METADATA] = telemetry.metadata
    if telemetry.omit_context:
        wire[_OMIT_CONTEXT] = True
    return wire


def carry_metadata(wire: dict[str, Any], metadata: str) -> None:
    """Give options that are on the wire the context in which their job is added, unless they say otherwise."""
    if not wire.get(_METADATA) and not wire.get(_OMIT_CONTEXT):
        wire[_METADATA] = metadata


def encode_parent(opts: JobOpts) -> bytes:
    """The JSON in a child's hash that tells finishing scripts where its parent is, and how it takes a failure."""
    if opts.parent is None:
        raise ValueError("the job has no parent")
    wire: dict[str, Any] = {"id": opts.parent.id, "queueKey": opts.parent.queue}
    if opts.on_child_failure is not None:
        wire[_CHILD_FAILURES[opts.on_child_failure]] = True
    return payload.encode(wire)


@lru_cache(maxsize=1024)
def decode_opts(encoded: bytes) -> JobOpts:
    """The options in a job's hash, by whomever they were written; what makes no sense there is left out.

    Raises:
        ValueError: it is not JSON.
    """
    wire = payload.decode(encoded)
    if not isinstance(wire, dict):
        return JobOpts()
    known: dict[str, Any] = {}
    for name, (option, check) in _DECODERS.items():
        value = wire.get(name)
        if value is not None:
            try:
                field, result = check(option, value)
            except InvalidOptionError:
                continue
            known[field] = result
    metadata, omits = wire.get(_METADATA), wire.get(_OMIT_CONTEXT)
    if metadata or omits:
        known["telemetry"] = JobTelemetry(metadata if isinstance(metadata, str) else None, omits is True)
    return JobOpts(**known)
