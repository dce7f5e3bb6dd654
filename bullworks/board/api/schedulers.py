"""Job schedulers: seeing them, changing when they run, running one now."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bullworks.board.api.call import Answer, Call
from bullworks.board.api.checks import number_of, whole
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.jobs import parsed
from bullworks.board.queues import BoardQueue
from bullworks.board.wire import engine_options, public_options
from bullworks.bullmq import InvalidOptionError, Job, JobScheduler, Queue, RepeatOptions
from bullworks.bullmq.wire import codec, scheduler_codec
from bullworks.redis import RedisError

MOST_OF_A_QUEUE = 1_000
"""Schedulers shown of one queue, those that are due last."""


async def all_schedulers(call: Call) -> dict[str, Any]:
    """Answer with the job schedulers of every queue, or of the named one."""
    asked = call.query.get("queueName")
    entries = [
        entry for entry in await call.board.visible_queues(call.who) if asked is None or entry.shown_name == asked
    ]
    found = await asyncio.gather(*(_of_queue(call, entry) for entry in entries))
    return {"schedulers": [scheduler for listed in found for scheduler in listed]}


async def remove(call: Call) -> Answer:
    """Remove a job scheduler with its pending job."""
    if not await call.queue.remove_job_scheduler(call.params["scheduler"]):
        raise RefusedError(404, "JOB_SCHEDULER_NOT_FOUND")
    return Answer(204)


async def run(call: Call) -> dict[str, Any]:
    """Add one job of a scheduler now; its own next run is unchanged."""
    scheduler, template = await _scheduler(call.queue, call.params["scheduler"])
    data = {} if scheduler.template.data is None else scheduler.template.data
    job: Job = await call.queue.add(scheduler.name or scheduler.key, data, **template)
    call.remember(f"job {job.id}")
    return {"job": await call.describe_job(job.id)}


async def update(call: Call) -> Answer:
    """Change when a scheduler runs; its job template is unchanged."""
    repeat = _repeat_of(call)
    call.remember(", ".join(f"{name} {value}" for name, value in repeat.items()))
    scheduler, template = await _scheduler(call.queue, call.params["scheduler"])
    try:
        await call.queue.upsert_job_scheduler(
            scheduler.key,
            repeat,
            {"name": scheduler.name or scheduler.key, "data": scheduler.template.data, "opts": template},
        )
    except InvalidOptionError as error:
        raise invalid("INVALID_SCHEDULER_PATTERN", str(error)) from None
    return Answer(204)


async def _scheduler(queue: Queue[Any], scheduler_id: str) -> tuple[JobScheduler, Any]:
    """A scheduler, and the options of its jobs."""
    scheduler = await queue.get_job_scheduler(scheduler_id)
    if scheduler is None:
        raise RefusedError(404, "JOB_SCHEDULER_NOT_FOUND")
    return scheduler, engine_options(
        {
            name: value
            for name, value in public_options(codec.wire_opts(scheduler.template.opts)).items()
            if name != "attempts" or value
        },
        ignore_unknown=True,
    )


def _repeat_of(call: Call) -> RepeatOptions:
    """What is requested, refused in the order in which Bull Board refuses it: bad values, wrong types, the whole."""
    body = call.body
    repeat = RepeatOptions()
    if body.get("every") is not None:
        repeat["every"] = _every_ms(body["every"])
    if body.get("limit") is not None:
        limit = whole(body["limit"], 1)
        if limit is None:
            raise invalid("INVALID_SCHEDULER_LIMIT")
        repeat["limit"] = limit
    if body.get("endDate") is not None:
        end_ms = _number(body["endDate"])
        if end_ms is None or end_ms <= time.time() * 1000:
            raise invalid("INVALID_SCHEDULER_END_DATE")
        repeat["end_date"] = int(end_ms)
    pattern, tz = _text_of(body, "pattern"), _text_of(body, "tz")
    if pattern:
        repeat["pattern"] = pattern
    if bool(pattern) == ("every" in repeat):
        raise invalid("INVALID_SCHEDULER_SCHEDULE")
    if tz:
        repeat["tz"] = tz
    return repeat


def _every_ms(given: Any) -> int:
    """Whole ms: of a fraction, which Bull Board takes, BullMQ shows and runs less than it stores."""
    every_ms = _number(given)
    if every_ms is None or every_ms < 1 or every_ms != int(every_ms):
        raise invalid("INVALID_SCHEDULER_INTERVAL")
    return int(every_ms)


def _text_of(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise invalid("INVALID_REQUEST_BODY", field=name)
    return value.strip()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return number_of(value)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


async def _of_queue(call: Call, entry: BoardQueue) -> list[dict[str, Any]]:
    scripts = entry.queue.scripts
    try:
        page = await scripts.scheduler_page(0, MOST_OF_A_QUEUE - 1, asc=False)
        stored = await scripts.scheduler_fields([scheduler_id for scheduler_id, _ in page])
        previous = [_previous_id(*due, fields) for due, fields in zip(page, stored, strict=True)]
        pending_since, has_previous = await entry.glance.iterations(page, previous)
    except RedisError:  # the other queues' are shown all the same
        return []
    read = [
        _Stored(scheduler_id, next_ms, fields, since, is_there)
        for (scheduler_id, next_ms), fields, since, is_there in zip(
            page, stored, pending_since, has_previous, strict=True
        )
    ]
    return [_app_scheduler(call, entry, scheduler) for scheduler in read if scheduler.fields]


def _previous_id(scheduler_id: str, next_ms: int, fields: dict[bytes, bytes]) -> str:
    every = _whole(fields, b"every")
    return f"repeat:{scheduler_id}:{next_ms - every}" if every else f"repeat:{scheduler_id}:"


@dataclass(frozen=True, slots=True)
class _Stored:
    """A scheduler as it lies in Redis.

    Attributes:
        next_ms: when its latest job is due.
        pending_since: when that was made; None means it is not there.
        has_previous: whether the job before it still is.
    """

    id: str
    next_ms: int
    fields: dict[bytes, bytes]
    pending_since: bytes | None
    has_previous: bool


def _app_scheduler(call: Call, entry: BoardQueue, scheduler: _Stored) -> dict[str, Any]:
    fields = scheduler.fields
    known = scheduler_codec.decode_schedule(scheduler.id, fields, scheduler.next_ms)
    count = known.iteration_count or None
    shown: dict[str, Any] = {
        "id": scheduler.id,
        "queueName": entry.shown_name,
        "name": known.name,
        "pattern": known.pattern or None,
        "every": known.every or None,
        "tz": known.tz or None,
        "limit": known.limit or None,
        "startDate": known.start_date or None,
        "endDate": known.end_date or None,
        "next": scheduler.next_ms,
        "iterationCount": count,
    }
    if scheduler.pending_since is not None:
        shown["nextRunJobId"] = f"repeat:{scheduler.id}:{scheduler.next_ms}"
        # the next job is made when the last one is taken, so its age tells when that was
        if count is not None and count > 1:
            shown["lastRun"] = int(float(scheduler.pending_since))
            if scheduler.has_previous and fields.get(b"every"):
                shown["lastRunJobId"] = _previous_id(scheduler.id, scheduler.next_ms, fields)
    template = _template(call, fields)
    if template:
        shown["template"] = template
    return {name: value for name, value in shown.items() if value is not None}


def _template(call: Call, fields: dict[bytes, bytes]) -> dict[str, Any]:
    template: dict[str, Any] = {}
    hide = call.board.redaction.hide
    try:
        if fields.get(b"data"):
            template["data"] = hide(parsed(fields[b"data"]))
        if fields.get(b"opts"):
            options = parsed(fields[b"opts"])
            template["opts"] = {
                name: value
                for name, value in public_options(hide(options)).items()
                if name != "attempts" or "attempts" in options
            }
    except (ValueError, RecursionError):
        template.setdefault("data", None)
    return template


def _whole(fields: dict[bytes, bytes], name: bytes) -> int | None:
    try:
        return int(float(fields[name])) or None
    except (KeyError, ValueError, OverflowError):
        return None
