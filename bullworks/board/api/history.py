"""The past: counts by hour and day, latencies, what they take in Redis.

That of all queues together is for those who may see all of them.
"""

import re
import time
from typing import Any, cast, get_args

from bullworks.board.api.call import Call
from bullworks.board.api.checks import choice, number_of, query_number
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.history import Granularity, LatencyGranularity, LatencyMetric, SeriesMetric

DEFAULT_PERCENTILES = (50.0, 95.0, 99.0)
MOST_PERCENTILES = 20
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


async def series(call: Call) -> dict[str, Any]:
    """Answer with a metric over time, or with completed and failed counts, by hour or day."""
    query = call.query
    from_ms = query_number(query, "from", "INVALID_DATE_RANGE")
    to_ms = query_number(query, "to", "INVALID_DATE_RANGE")
    granularity = choice(query.get("granularity", "day"), get_args(Granularity), "INVALID_GRANULARITY")
    metrics: tuple[str, ...] = ("completed", "failed")
    if "metric" in query:
        metrics = (choice(query["metric"], get_args(SeriesMetric), "INVALID_METRIC"),)
    if to_ms < from_ms:
        raise invalid("INVALID_DATE_RANGE")
    queue = await _queue(call)
    if queue is None and not await call.board.sees_all(call.who):
        return {metric: [] for metric in metrics}
    answer: dict[str, Any] = {}
    for metric in metrics:
        points = await call.board.history.series(
            cast(SeriesMetric, metric),
            queue=queue,
            from_ms=int(from_ms),
            to_ms=int(to_ms),
            granularity=cast(Granularity, granularity),
        )
        answer[metric] = [{"ts": at_ms, "value": value} for at_ms, value in points]
    return answer


async def latency(call: Call) -> list[dict[str, Any]]:
    """Answer with percentiles of how long jobs ran or waited."""
    query = call.query
    metric = choice(query.get("metric"), get_args(LatencyMetric), "INVALID_METRIC")
    from_ms = query_number(query, "from", "INVALID_DATE_RANGE", 0)
    to_ms = query_number(query, "to", "INVALID_DATE_RANGE", time.time() * 1000)
    granularity = query.get("granularity")
    if granularity not in get_args(LatencyGranularity):
        granularity = "day"
    queue = await _queue(call)
    if queue is None and not await call.board.sees_all(call.who):
        return []
    points = await call.board.history.latency(
        cast(LatencyMetric, metric),
        queue=queue,
        from_ms=int(from_ms),
        to_ms=int(to_ms),
        granularity=cast(LatencyGranularity, granularity),
        percentiles=_percentiles(query.get("percentiles", "")),
    )
    return [
        {"ts": at_ms, "count": count, "values": {_label(percentile): value for percentile, value in values.items()}}
        for at_ms, count, values in points
    ]


async def usage(call: Call) -> dict[str, Any]:
    """Answer with the Redis memory that the history uses, for the queues the caller may read."""
    visible = {entry.shown_name for entry in await call.board.visible_queues(call.who)}
    used = dict(await call.board.history.usage())
    used["queues"] = [queue for queue in used.get("queues", ()) if queue.get("queue") in visible]
    return used


async def purge(call: Call) -> dict[str, Any]:
    """Delete the history, or its days before a given day."""
    before, queue = call.body.get("before"), call.body.get("queue")
    if before is not None and not (isinstance(before, str) and _DAY.fullmatch(before)):
        raise invalid("INVALID_BEFORE_DATE")
    if not isinstance(queue, str | None):
        raise invalid("INVALID_QUEUE")
    call.remember(f"{queue or 'all queues'}, before {before or 'now'}")
    if queue is None and not await call.board.sees_all(call.who):
        raise RefusedError(403, "FORBIDDEN", f"{call.who} may not see all queues: name one")
    if queue is not None and call.board.is_read_only(await call.board.queue(call.who, queue)):
        raise RefusedError(405, "QUEUE_READ_ONLY")
    try:
        keys, fields = await call.board.history.purge(queue=queue, before=before)
    except ValueError:  # as the 30th of February
        raise invalid("INVALID_BEFORE_DATE") from None
    return {"keysDeleted": keys, "fieldsDeleted": fields}


async def _queue(call: Call) -> str | None:
    name = call.query.get("queue")
    if name is not None:
        await call.board.queue(call.who, name)
    return name


def _percentiles(listed: str) -> tuple[float, ...]:
    numbers = [number_of(part.strip()) for part in listed.split(",")[:MOST_PERCENTILES]]
    wanted = tuple(number for number in numbers if number is not None and 0 <= number <= 100)
    return wanted or DEFAULT_PERCENTILES


def _label(percentile: float) -> str:
    """As JavaScript writes the number: 50, not 50.0."""
    return str(int(percentile)) if percentile == int(percentile) else str(percentile)
