"""Schedules: the crons of the fleet, and the job schedulers of all queues."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.api.call import Call
from bullworks.board.api.schedulers import all_schedulers
from bullworks.board.board import Board
from bullworks.board.crons import read_crons
from bullworks.board.pages.rendering import page_number, page_of, render

MOST_CRONS = 500
SCHEDULERS_A_PAGE = 100
_SHOWN_MISSES = 10
_OPTIONAL = ("pattern", "every", "tz", "limit", "next", "nextRunJobId", "lastRun", "lastRunJobId", "iterationCount")


async def schedules(request: Request) -> Response:
    """Render crons and job schedulers: the next run, and the result of the last."""
    board: Board = request.state.board
    who: str = request.state.who
    (crons, names, problem), found = await asyncio.gather(
        read_crons(board, MOST_CRONS), all_schedulers(Call(board=board, who=who))
    )
    schedulers: list[dict[str, Any]] = [{**dict.fromkeys(_OPTIONAL), **each} for each in found["schedulers"]]
    listed = sorted(schedulers, key=lambda scheduler: scheduler["next"] or 0)
    page = page_number(request)
    shown, pages = page_of(listed, SCHEDULERS_A_PAGE, page)
    may_run_cron = {cron.name: await board.may(who, "run-cron", job=cron.name) for cron in crons if cron.job}
    may_run = {
        (scheduler["queueName"], scheduler["id"]): await board.may(
            who, "run-scheduler", board.queues.get(scheduler["queueName"]), scheduler["id"]
        )
        for scheduler in shown
    }
    return render(
        request,
        "schedules.html",
        crons=crons,
        names=names,
        most=MOST_CRONS,
        problem=problem,
        has_crons=board.crons is not None,
        may_run_cron=may_run_cron,
        shown_misses=_SHOWN_MISSES,
        schedulers=shown,
        total=len(listed),
        may_run=may_run,
        page=page,
        pages=pages,
    )
