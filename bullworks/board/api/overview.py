"""Reading queues: the list of all, with the jobs of one, and what a queue's panel shows."""

from math import ceil
from typing import Any
from urllib.parse import unquote

from bullworks.board.api.call import Call
from bullworks.board.api.checks import MOST_JOBS_A_PAGE, STATUSES, choice, query_whole
from bullworks.board.errors import RefusedError
from bullworks.board.jobs import AppJob, unreadable
from bullworks.board.queues import BoardQueue
from bullworks.board.snapshot import COUNTED, QueueSnapshot, read_queues, read_workers, workers_of
from bullworks.board.wire import public_options
from bullworks.bullmq import JobOpts, ListedState
from bullworks.bullmq.wire import codec
from bullworks.redis import RedisError

_INFO_NUMBERS = {
    "total": "total_system_memory",
    "used": "used_memory",
    "fragmentationRatio": "mem_fragmentation_ratio",
    "peak": "used_memory_peak",
}


async def queues(call: Call) -> dict[str, Any]:
    """Answer with every queue, and a page of jobs of the selected one."""
    status = call.query.get("status")
    if status is not None:
        choice(status, STATUSES, "INVALID_QUERY_PARAM", field="status")
    page = query_whole(call.query, "page", 1, 1)
    jobs_per_page = query_whole(call.query, "jobsPerPage", 10, 1, MOST_JOBS_A_PAGE)
    # the page encodes it once more than a query needs
    active = unquote(call.query.get("activeQueue", ""))
    entries = await call.board.visible_queues(call.who)
    snapshots = await read_queues(entries, with_workers=call.board.options.show_workers)
    listed = []
    for snapshot in snapshots:
        is_active = snapshot.entry.shown_name == active
        states = _states(status) if is_active else COUNTED
        pagination = _pagination(states, snapshot, page, jobs_per_page)
        jobs = await _page(call, snapshot.entry, states, pagination["range"]) if is_active else []
        listed.append(_app_queue(call, snapshot, jobs, pagination))
    return {"queues": listed}


async def redis_stats(call: Call) -> dict[str, Any]:
    """Answer with the state of the first queue's Redis server; {} if there is no queue."""
    if not call.board.options.show_redis:
        raise RefusedError(403, "FORBIDDEN")
    first = next(iter(call.board.queues), None)
    if first is None:
        return {}
    info = await first.glance.server_info()
    memory = {name: _number(info.get(field)) for name, field in _INFO_NUMBERS.items()}
    return {
        "backend": "redis",
        "version": info.get("redis_version", ""),
        "mode": info.get("redis_mode", "standalone"),
        "port": _number(info.get("tcp_port")),
        "os": info.get("os", ""),
        "uptime": _number(info.get("uptime_in_seconds")),
        "memory": {**memory, "total": _number(info.get("maxmemory")) or memory["total"]},
        "clients": {
            "connected": _number(info.get("connected_clients")),
            "blocked": _number(info.get("blocked_clients")),
        },
    }


async def metrics(call: Call) -> dict[str, Any]:
    """Answer with completed and failed jobs per minute, as counted by workers with the option `metrics`."""
    answer: dict[str, Any] = {}
    for kind in ("completed", "failed"):
        try:
            counted = await call.queue.get_metrics("completed" if kind == "completed" else "failed")
        except RedisError:
            answer[kind] = None
            continue
        meta = {"count": counted.total, "prevTS": counted.prev_at_ms or 0, "prevCount": counted.prev_total}
        answer[kind] = {"meta": meta, "data": counted.data, "count": counted.count}
    return answer


async def default_job_options(call: Call) -> dict[str, Any]:
    """Answer with the queue's default job options."""
    public = public_options(codec.wire_opts(JobOpts.of(call.queue.default_job_options)))
    return {name: value for name, value in public.items() if name != "attempts" or value}


async def job_data_schema(call: Call) -> dict[str, Any]:
    """Answer with the JSON schema of the queue's job data."""
    return dict(call.entry.data_schema or {})


async def workers(call: Call) -> dict[str, Any]:
    """Answer with the queue's workers; null if Redis does not list its clients."""
    if not call.board.options.show_workers:
        raise RefusedError(403, "WORKERS_DISABLED")
    connected = workers_of(call.entry, await read_workers([call.entry]))
    if connected is None:
        return {"workers": None}
    return {
        "workers": [
            {"id": worker.id, "name": worker.name, "addr": worker.address, "age": worker.age_s} for worker in connected
        ]
    }


def _states(status: str | None) -> tuple[ListedState, ...]:
    named: tuple[ListedState, ...] = (*COUNTED, "paused")
    chosen: list[ListedState] = [state for state in named if state == status]
    return tuple(chosen) if chosen else COUNTED


def _pagination(
    states: tuple[ListedState, ...], snapshot: QueueSnapshot, page: int, jobs_per_page: int
) -> dict[str, Any]:
    if len(states) != 1:
        return {"pageCount": 1, "range": {"start": 0, "end": jobs_per_page - 1}}
    start = (page - 1) * jobs_per_page
    return {
        "pageCount": ceil(snapshot.counts.get(states[0], 0) / jobs_per_page),
        "range": {"start": start, "end": start + jobs_per_page - 1},
    }


async def _page(call: Call, entry: BoardQueue, states: tuple[ListedState, ...], bounds: dict[str, int]) -> list[AppJob]:
    try:
        ids = await entry.queue.get_ranges(states, bounds["start"], bounds["end"])
        return await call.jobs.read(entry, ids)
    except RedisError as error:  # a page that says so is worth more than none
        return [unreadable("-", str(error))]


def _app_queue(call: Call, snapshot: QueueSnapshot, jobs: list[AppJob], pagination: dict[str, Any]) -> dict[str, Any]:
    entry = snapshot.entry
    is_read_only = call.board.is_read_only(entry)
    allow_retries = entry.allow_retries and not is_read_only
    app_queue = {
        "name": entry.shown_name,
        "statuses": ["latest", *COUNTED],
        "counts": dict(snapshot.counts),
        "jobs": jobs,
        "pagination": pagination,
        "readOnlyMode": is_read_only,
        "allowRetries": allow_retries,
        "allowCompletedRetries": entry.allow_completed_retries and allow_retries,
        "isPaused": snapshot.is_paused,
        "type": "bullmq",
        "delimiter": entry.delimiter,
        "globalConcurrency": snapshot.concurrency,
        "activeRateLimitTtl": snapshot.rate_limit_ttl_ms,
        "supportsGlobalRateLimit": True,
        "jobSchedulerCount": snapshot.schedulers,
        "hasWorkers": None if snapshot.workers is None else bool(snapshot.workers),
    }
    description = entry.description if snapshot.problem is None else f"cannot be read: {snapshot.problem}"
    optional = {"displayName": entry.display_name, "description": description}
    return {**app_queue, **{name: text for name, text in optional.items() if text}}


def _number(text: str | None) -> int | float:
    try:
        number = float(text or 0)
    except ValueError:
        return 0
    return int(number) if number == int(number) else number
