"""Who works on what: workers, the jobs they hold, and for how long they still do."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.active import read_work
from bullworks.board.board import Board
from bullworks.board.pages.rendering import page_number, page_of, render
from bullworks.board.snapshot import read_workers, workers_of

QUEUES_A_PAGE = 50
MOST_JOBS = 200
"""Of one queue, where it is the only one; of several it is a tenth of that."""
MOST_WORKERS = 200


async def workers(request: Request) -> Response:
    """Render the workers of one queue, or of all queues."""
    board: Board = request.state.board
    who: str = request.state.who
    name = request.query_params.get("queue", "")
    if name:
        entries, most_jobs, most_workers = [await board.queue(who, name)], MOST_JOBS, MOST_WORKERS
    else:
        entries, most_jobs, most_workers = await board.visible_queues(who), MOST_JOBS // 10, MOST_WORKERS // 10
    page = page_number(request)
    shown, pages = page_of(entries, QUEUES_A_PAGE, page)
    fleets = await read_workers(shown) if board.options.show_workers else {}
    found = await asyncio.gather(
        *(
            read_work(entry, workers_of(entry, fleets), most_jobs=most_jobs, most_workers=most_workers)
            for entry in shown
        )
    )
    return render(
        request,
        "workers.html",
        found=found,
        queue=name,
        pages=pages,
        page=page,
        shows_workers=board.options.show_workers,
        may_cancel={entry.shown_name for entry in shown if await board.may(who, "cancel-all", entry)},
    )
