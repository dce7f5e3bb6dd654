"""A queue: its counts, what the past was like, and its jobs by state, page by page."""

import asyncio
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.board import Board
from bullworks.board.jobs import AppJob, JobReader, unreadable
from bullworks.board.pages.charts import read_charts, span_of
from bullworks.board.pages.job import complete
from bullworks.board.pages.live import queues_digest
from bullworks.board.pages.overview import read_ages
from bullworks.board.pages.rendering import page_number, render
from bullworks.board.queues import BoardQueue
from bullworks.board.security import Action
from bullworks.board.snapshot import COUNTED, QueueSnapshot, read_queues
from bullworks.bullmq import ListedState
from bullworks.redis import RedisError

JOBS_PER_PAGE = 25
_TELLING: tuple[ListedState, ...] = (
    "failed", "active", "waiting", "prioritized", "delayed", "waiting-children", "completed",
)  # fmt: skip
"""States, the one that most needs looking at first."""
_ACTIONS: tuple[Action, ...] = ("pause", "resume", "promote-all", "retry-all", "add-job")


async def queue(request: Request) -> Response:
    """Render a page of jobs in one state; by default the state that most needs attention."""
    board: Board = request.state.board
    who: str = request.state.who
    entry = await board.queue(who, request.query_params.get("name", ""))
    span = span_of(request.query_params.get("span"))
    (snapshot,), (age_ms,), charts = await asyncio.gather(
        read_queues([entry], with_workers=board.options.show_workers),
        read_ages([entry]),
        read_charts(board.history, entry.shown_name, span),
    )
    state = _requested_state(request) or _telling(snapshot)
    page = page_number(request)
    return render(
        request,
        "queue.html",
        name=entry.shown_name,
        entry=entry,
        snapshot=snapshot,
        age_ms=age_ms,
        charts=charts,
        known=queues_digest([snapshot]),
        states=COUNTED,
        state=state,
        jobs=[] if snapshot.problem is not None else await _jobs(board, entry, state, page),
        page=page,
        pages=max(1, ceil(snapshot.counts[state] / JOBS_PER_PAGE)),
        may={action: await board.may(who, action, entry) for action in _ACTIONS},
        is_fixed=board.is_read_only(entry),
        show_workers=board.options.show_workers,
    )


def _requested_state(request: Request) -> ListedState | None:
    given = request.query_params.get("state")
    known: list[ListedState] = [state for state in COUNTED if state == given]
    return known[0] if known else None


def _telling(snapshot: QueueSnapshot) -> ListedState:
    found: list[ListedState] = [state for state in _TELLING if snapshot.counts[state]]
    return found[0] if found else "waiting"


async def _jobs(board: Board, entry: BoardQueue, state: ListedState, page: int) -> list[AppJob]:
    start = (page - 1) * JOBS_PER_PAGE
    try:
        ids = await entry.queue.get_ranges(state, start, start + JOBS_PER_PAGE - 1)
        jobs = await JobReader(board.redaction, board.options.shown_bytes).read(entry, ids)
    except RedisError as error:
        jobs = [unreadable("-", str(error))]
    return [complete(job) for job in jobs]
