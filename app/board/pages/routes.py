"""Which pages there are.

A handler finds in `request.state`: `board`, the Board; `who`, who asks; `base`, where the board is, with a slash at its
end; `xsrf`, what a script sends back as X-XSRF-TOKEN with every change. Paths begin anew below `-`. Ids of jobs belong
into the query, not into the path: they may hold a slash. What changes something does so within `board.mutation(...)`.
"""

from dataclasses import dataclass

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from app.board.pages.overview import overview


@dataclass(frozen=True, slots=True)
class Page:
    """A page that Bull Board's menu leads to.

    Attributes:
        path: below `-`, as in "/failures".
    """

    title: str
    path: str


PAGES = (Page("Overview", "/"),)


def page_routes() -> list[BaseRoute]:
    """All of them."""
    return [Route("/", overview)]


def pages_app() -> ASGIApp:
    """The pages as one app."""
    return Router(page_routes(), redirect_slashes=False)
