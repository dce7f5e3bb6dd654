"""Between Python and what lies in Redis of job schedulers: their wire names stand here.

Source: the layout in README.md, checked against what npm bullmq 6.7 writes.
"""

from dataclasses import dataclass, replace
from typing import Any

from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.options.job_scheduler import JobScheduler, NewScheduler, SchedulerTemplate
from bullworks.bullmq.options.repeat import Repeat
from bullworks.bullmq.wire import codec, payload


def encode_template(scheduler: NewScheduler) -> bytes:
    """Encode the options of a scheduler's jobs as JSON; empty if there are none."""
    wire = _template_opts(scheduler.job.opts)
    return payload.encode(wire) if wire else b""


def encode_iteration(scheduler: NewScheduler, metadata: str | None = None) -> bytes:
    """Encode the options of a scheduler's first job, except what lua/lib/iteration.lua adds."""
    repeat = scheduler.repeat
    options = {
        "pattern": repeat.pattern,
        "tz": repeat.tz,
        "every": repeat.every_ms,
        "offset": repeat.offset_ms,
        "limit": repeat.limit,
        "startDate": repeat.start_ms,
        "endDate": repeat.end_ms,
        "count": 1,
    }
    wire = _template_opts(scheduler.job.opts)
    if metadata is not None:
        codec.carry_metadata(wire, metadata)
    wire["repeat"] = {name: value for name, value in options.items() if value is not None}
    wire["repeatJobKey"] = scheduler.id
    return payload.encode(wire)


@dataclass(frozen=True, slots=True)
class Successor:
    """The job that follows a scheduler's iteration.

    Attributes:
        opts: JSON of its options, less what lua/lib/iteration.lua adds.
        repeat: the pattern's, for when it is due; None where `every`, which Redis knows, says that.
    """

    opts: bytes
    priority: int
    lifo: bool
    repeat: Repeat | None


def successor(encoded_opts: bytes, scheduler_id: str, metadata: str | None = None) -> Successor | None:
    """Compute the successor of an iteration, from any BullMQ library; None if it was the last one.

    It carries the trace that its scheduler began; where that began none, the one that `metadata` stands for.

    Raises:
        ValueError: they are not JSON.
    """
    wire = payload.decode(encoded_opts)
    repeat = wire.get("repeat") if isinstance(wire, dict) else None
    if not isinstance(repeat, dict):
        return None
    count, limit = (_whole(repeat.get("count")) or 0) + 1, _whole(repeat.get("limit"))
    if limit is not None and count > limit:
        return None
    wire = {name: value for name, value in wire.items() if name not in _ADDED_BY_REDIS}
    wire["attempts"] = wire.get("attempts") or 0
    wire["repeat"] = {**repeat, "count": count}
    wire["repeatJobKey"] = scheduler_id
    if metadata is not None:
        codec.carry_metadata(wire, metadata)
    pattern, tz = repeat.get("pattern"), repeat.get("tz")
    by_pattern = Repeat(
        pattern=str(pattern), tz=None if tz is None else str(tz), start_ms=_whole(repeat.get("startDate"))
    )
    return Successor(
        payload.encode(wire),
        _whole(wire.get("priority")) or 0,
        wire.get("lifo") is True,
        by_pattern if pattern else None,
    )


def decode_scheduler(scheduler_id: str, fields: dict[bytes, bytes], next_ms: int) -> JobScheduler:
    """Decode a scheduler's hash, from any BullMQ library; invalid parts are left out.

    Raises:
        ValueError: its template is not JSON.
    """
    data, opts = fields.get(b"data"), fields.get(b"opts")
    template = SchedulerTemplate(
        data=None if data is None else payload.decode(data),
        opts=JobOpts() if opts is None else codec.decode_opts(opts),
    )
    return replace(decode_schedule(scheduler_id, fields, next_ms), template=template)


def decode_schedule(scheduler_id: str, fields: dict[bytes, bytes], next_ms: int) -> JobScheduler:
    """Decode a scheduler's hash without the template of its jobs; invalid parts are left out."""

    def text(name: bytes) -> str | None:
        value = fields.get(name)
        return None if value is None else value.decode("utf-8", "replace")

    return JobScheduler(
        key=scheduler_id,
        name=text(b"name") or "",
        next=next_ms,
        iteration_count=_whole(fields.get(b"ic")),
        pattern=text(b"pattern"),
        tz=text(b"tz"),
        every=_whole(fields.get(b"every")),
        offset=_whole(fields.get(b"offset")),
        limit=_whole(fields.get(b"limit")),
        start_date=_whole(fields.get(b"startDate")),
        end_date=_whole(fields.get(b"endDate")),
    )


_ADDED_BY_REDIS = frozenset({"jobId", "delay", "timestamp", "prevMillis"})


def _template_opts(opts: JobOpts) -> dict[str, Any]:
    wire = codec.wire_opts(opts)
    if not opts.attempts:
        del wire["attempts"]
    return wire


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
