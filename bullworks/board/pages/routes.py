"""Which pages there are.

A handler finds in `request.state`: `board`, the Board; `live`, the streams of open pages; `who`, the caller; `base`,
where the board is, with a slash at its end; `xsrf`, what a script sends back as X-XSRF-TOKEN with every change. Paths
start over below `-`. Ids of jobs belong into the query, not into the path: they may hold a slash. Pages only read;
what changes something is in `actions.py`.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bullworks.board.errors import RefusedError, refusal_of
from bullworks.board.pages.assets import asset
from bullworks.board.pages.audit import audit
from bullworks.board.pages.failures import failures
from bullworks.board.pages.job import job
from bullworks.board.pages.live import live
from bullworks.board.pages.locks import locks
from bullworks.board.pages.overview import overview
from bullworks.board.pages.queue import queue
from bullworks.board.pages.rendering import render
from bullworks.board.pages.schedules import schedules
from bullworks.board.pages.search import search
from bullworks.board.pages.workers import workers

_WORDS = {
    "ERRORS.QUEUE_NOT_FOUND": "This board has no such queue.",
    "ERRORS.JOB_NOT_FOUND": "The queue has no such job.",
}


def page_routes() -> list[BaseRoute]:
    """Build the routes of all pages."""
    return [
        Route("/", overview),
        Route("/queue", queue),
        Route("/job", job),
        Route("/assets/{name}", asset),
        Route("/live", live),
        Route("/search", search),
        Route("/failures", failures),
        Route("/workers", workers),
        Route("/schedules", schedules),
        Route("/locks", locks),
        Route("/audit", audit),
    ]


def pages_app() -> ASGIApp:
    """Combine the pages into one ASGI app."""
    router = Router(page_routes(), redirect_slashes=False, default=_refuse_unknown)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await router(scope, receive, send)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            await problem_page(Request(scope), refusal)(scope, receive, send)

    return run


async def _refuse_unknown(*_: object) -> None:
    raise RefusedError(404, "INTERNAL_SERVER_ERROR", "there is no such page")


def problem_page(request: Request, error: RefusedError) -> Response:
    """Render the page that says why there is no other."""
    problem = error.message if isinstance(error.message, str) else _WORDS.get(error.key, error.key)
    page = render(request, "problem.html", status=error.status, problem=problem, code=error.status)
    page.headers.update(error.headers or {})
    return page
