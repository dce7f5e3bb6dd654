"""Between Python and what lies in Redis: the fields of a job, and its options as JSON.

Source: the layout in README.md, checked against what npm bullmq 6.7 writes.
"""

from functools import lru_cache
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.telemetry.job_telemetry import JobTelemetry
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.job_options import CHILD_FAILURES, METADATA, OMIT_CONTEXT, READERS, VALUES, WRITERS

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
GROUP = b"gid"
GROUP_WEIGHT = b"gw"

# Fields of a queue's `meta`.
MAX_LEN_EVENTS = "opts.maxLenEvents"

OUTCOME_FIELDS = {
    "completed": (FINISHED_ON, PROCESSED_ON, RETURN_VALUE),
    "failed": (FINISHED_ON, PROCESSED_ON, FAILED_REASON),
}
"""What a retry takes away, by the state that the job was in. Source: lua/lib/reprocess.lua."""


def encode_opts(opts: JobOpts) -> bytes:
    """Encode job options as BullMQ stores them in JSON: `attempts` always, others if set.

    Kept with them, since the jobs of a queue mostly share theirs.
    """
    encoded = opts.encoded
    if encoded.json is None:
        encoded.json = payload.encode(wire_opts(opts))
    return encoded.json


def wire_opts(opts: JobOpts) -> dict[str, Any]:
    """Convert job options to wire names, before JSON encoding."""
    wire: dict[str, Any] = {}
    for (name, write), value in zip(WRITERS, VALUES(opts), strict=True):
        if value is not None:
            stored = value if write is None else write(value)
            if stored is not None:
                wire[name] = stored
    return wire


def carry_metadata(wire: dict[str, Any], metadata: str) -> None:
    """Add a job's trace context to options in wire form, unless they exclude it."""
    if not wire.get(METADATA) and not wire.get(OMIT_CONTEXT):
        wire[METADATA] = metadata


def encode_parent(opts: JobOpts) -> bytes:
    """Encode, for a child's hash, where its parent is and how the parent treats the child's failure."""
    if opts.parent is None:
        raise ValueError("the job has no parent")
    wire: dict[str, Any] = {"id": opts.parent.id, "queueKey": opts.parent.queue}
    if opts.on_child_failure is not None:
        wire[CHILD_FAILURES[opts.on_child_failure]] = True
    return payload.encode(wire)


@lru_cache(maxsize=1024)
def decode_opts(encoded: bytes) -> JobOpts:
    """Decode the options in a job's hash, from any BullMQ library; invalid ones are left out.

    Raises:
        ValueError: it is not JSON.
    """
    wire = payload.decode(encoded)
    if not isinstance(wire, dict):
        return JobOpts()
    known: dict[str, Any] = {}
    for name, option, read in READERS:
        value = wire.get(name)
        if value is not None:
            try:
                field, result = read(option, value)
            except InvalidOptionError:
                continue
            known[field] = result
    metadata, omits = wire.get(METADATA), wire.get(OMIT_CONTEXT)
    if metadata or omits:
        known["telemetry"] = JobTelemetry(metadata if isinstance(metadata, str) else None, omits is True)
    return JobOpts(**known)
