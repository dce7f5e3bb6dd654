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

# Fields of a queue's `meta`.
MAX_LEN_EVENTS = "opts.maxLenEvents"

OUTCOME_FIELDS = {
    "completed": (FINISHED_ON, PROCESSED_ON, RETURN_VALUE),
    "failed": (FINISHED_ON, PROCESSED_ON, FAILED_REASON),
}
"""What a retry takes away, by the state that the job was in. Source: lua/lib/reprocess.lua."""


def encode_opts(opts: JobOpts) -> bytes:
    """The JSON of `opts` as BullMQ stores it: `attempts` always, the rest where given.

    Kept with them, since the jobs of a queue mostly share theirs.
    """
    encoded = opts.encoded
    if encoded.json is None:
        encoded.json = payload.encode(wire_opts(opts))
    return encoded.json


def wire_opts(opts: JobOpts) -> dict[str, Any]:
    """The same before it is JSON."""
    wire: dict[str, Any] = {}
    for (name, write), value in zip(WRITERS, VALUES(opts), strict=True):
        if value is not None:
            stored = value if write is None else write(value)
            if stored is not None:
                wire[name] = stored
    return wire


def carry_metadata(wire: dict[str, Any], metadata: str) -> None:
    """Give options that are on the wire the context in which their job is added, unless they say otherwise."""
    if not wire.get(METADATA) and not wire.get(OMIT_CONTEXT):
        wire[METADATA] = metadata


def encode_parent(opts: JobOpts) -> bytes:
    """The JSON in a child's hash that tells finishing scripts where its parent is, and how it takes a failure."""
    if opts.parent is None:
        raise ValueError("the job has no parent")
    wire: dict[str, Any] = {"id": opts.parent.id, "queueKey": opts.parent.queue}
    if opts.on_child_failure is not None:
        wire[CHILD_FAILURES[opts.on_child_failure]] = True
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
