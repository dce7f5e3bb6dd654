"""A job: all that is known of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.api.call import Call
from bullworks.board.api.flows import flow
from bullworks.board.board import Board
from bullworks.board.errors import RefusedError
from bullworks.board.jobs import AppJob, JobReader
from bullworks.board.pages.live import job_digest
from bullworks.board.pages.rendering import render
from bullworks.board.pages.steps import shown_steps
from bullworks.board.queues import BoardQueue
from bullworks.board.security import Action
from bullworks.bullmq import JobState
from bullworks.redis import RedisError

LOG_LINES = 200
"""Of a job's log, the newest: more are not read."""
_LINE_CHARS = 2_000
CANCELLABLE = frozenset({"active", "waiting", "delayed", "prioritized", "waiting-children"})
"""States of a job that has not ended."""
CHILDREN = 50
"""The most that are looked at, and shown."""


_SOMETIMES = (
    "processedOn", "processedBy", "finishedOn", "groupId", "priority", "attemptsStarted", "stalledCounter",
    "deduplicationId", "deferredFailure", "failedReason", "returnValue", "externalUrl",
)  # fmt: skip


def complete(shown: AppJob) -> AppJob:
    """Read a job with every detail the page displays; missing details are None."""
    return {**dict.fromkeys(_SOMETIMES), **shown}


async def job(request: Request) -> Response:
    """Render a job with its log and its parents."""
    board: Board = request.state.board
    who: str = request.state.who
    entry = await board.queue(who, request.query_params.get("queue", ""))
    job_id = request.query_params.get("id", "")
    reader = JobReader(board.redaction, board.options.shown_bytes)
    # the digest first: what changes meanwhile is sent to the page, rather than missed
    known, shown = await asyncio.gather(job_digest(entry, job_id), reader.read_one(entry, job_id))
    if shown is None:
        raise RefusedError(
            404, "JOB_NOT_FOUND", f"The queue {entry.shown_name} has no such job: it may have been removed."
        )
    state, log, tree, steps = await asyncio.gather(
        _state(entry, job_id),
        _log(entry, job_id),
        _tree(board, who, entry, job_id),
        shown_steps(entry, job_id, board.redaction),
    )
    return render(
        request,
        "job.html",
        name=entry.shown_name,
        job=complete(shown),
        known=known,
        state=state,
        log=log,
        most_lines=LOG_LINES,
        steps=steps,
        parent=await _parent(board, who, shown),
        children=[await _child(board, who, child) for child in tree.get("children", ())],
        is_cut=bool(tree.get("truncated")),
        may={
            "retry": _is_retriable(entry, state) and await _may(board, who, "retry-job", entry, job_id),
            "promote": state == "delayed" and await _may(board, who, "promote-job", entry, job_id),
            "cancel": state in CANCELLABLE and await _may(board, who, "cancel-job", entry, job_id),
            "remove": state != "active" and await _may(board, who, "remove-job", entry, job_id),
        },
    )


async def _may(board: Board, who: str, action: Action, entry: BoardQueue, job_id: str) -> bool:
    return await board.may(who, action, entry, job_id)


def _is_retriable(entry: BoardQueue, state: JobState) -> bool:
    return entry.allow_retries and (state == "failed" or (state == "completed" and entry.allow_completed_retries))


async def _state(entry: BoardQueue, job_id: str) -> JobState:
    try:
        return await entry.queue.get_job_state(job_id)
    except RedisError:
        return "unknown"


async def _log(entry: BoardQueue, job_id: str) -> tuple[list[str], int] | None:
    """Its newest lines, the oldest of them first, and how many there are in all; None means it cannot be read."""
    try:
        found = await entry.queue.get_job_logs(job_id, -LOG_LINES, -1)
    except RedisError:
        return None
    return [
        line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}... ({len(line)} characters)"
        for line in found.logs[-LOG_LINES:]
    ], found.count


async def _tree(board: Board, who: str, entry: BoardQueue, job_id: str) -> Mapping[str, Any]:
    """The job with those right below it, as Bull Board's contract has it."""
    query = {"root": "node", "depth": "2", "maxChildren": str(CHILDREN)}
    try:
        answer = await flow(Call(board=board, who=who, params={"job": job_id}, query=query, queue_entry=entry))
    except (RefusedError, RedisError):
        return {}
    return answer["flowRoot"] or {}


async def _child(board: Board, who: str, node: Mapping[str, Any]) -> Mapping[str, Any]:
    """With whether its queue is on this board."""
    entry = board.queues.get(node["queueName"])
    return {**node, "is_here": entry is not None and await board.sees(who, entry)}


async def _parent(board: Board, who: str, shown: AppJob) -> tuple[str, str] | None:
    """Queue and id of the job that waits for this one; None means there is none, or none that may be seen."""
    options = shown["opts"]
    given = options.get("parent") if isinstance(options, dict) else None
    if not isinstance(given, dict):
        return None
    entry = board.queues.find_qualified(str(given.get("queue", "")))
    if entry is None or not await board.sees(who, entry):
        return None
    return entry.shown_name, str(given.get("id", ""))
