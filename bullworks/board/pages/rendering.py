"""Rendering: every value is escaped."""

import json
import time
from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bullworks.board.pages.menu import PAGES
from bullworks.board.paths import own_of

MOST_PAGES = 100_000
"""Of a list: further back nothing is looked up."""

T = TypeVar("T")

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template, adding what `base.html` needs.

    That is `base`, where the board is; `own`, where our pages are, without a slash at its end; `xsrf`, `who`, `title`,
    `has_ui`, `is_read_only`; `here`, the path of this page below `own`; and `menu`.
    """
    state, scope = request.state, request.scope
    options = state.board.options
    context = {
        "base": state.base,
        "own": own_of(state.base),
        "xsrf": state.xsrf,
        "who": state.who,
        "title": options.title,
        "has_ui": state.board.ui is not None,
        "is_read_only": options.read_only,
        "here": scope["path"].removeprefix(scope["root_path"]) or "/",
        "menu": PAGES,
    }
    page = _environment().get_template(template).render(context | values)
    return HTMLResponse(page.encode("utf-8", "replace"), status)  # half a character may be part of any text


def page_number(request: Request) -> int:
    """Parse the page number from a query, counted from 1; 1 unless it is a sensible number."""
    given = request.query_params.get("page", "")
    is_number = given.isascii() and given.isdigit() and len(given) < 9
    return min(max(int(given), 1), MOST_PAGES) if is_number else 1


def page_of(items: Sequence[T], size: int, page: int) -> tuple[Sequence[T], int]:
    """Slice the items of a page, counted from 1; also returns the number of pages, at least 1."""
    return items[(page - 1) * size : page * size], max(1, ceil(len(items) / size))


def time_text(at_ms: float | None) -> str:
    """Format a time in UTC for people and for `<time datetime>`; "-" if there is none."""
    if not at_ms:
        return "-"
    try:
        return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at_ms / 1000))
    except (ValueError, OverflowError, OSError):
        return "-"


def duration_text(ms: float | None) -> str:
    """Format a duration such as `1.5 s`; "-" if there is none."""
    if ms is None or not ms >= 0:
        return "-"
    for size, unit in _UNITS:
        if ms >= size:
            return f"{ms / size:.1f} {unit}"
    return f"{ms:.0f} ms"


def query_text(**fields: Any) -> str:
    """Encode a query string; None and "" are left out."""
    return urlencode({name: str(value) for name, value in fields.items() if value not in (None, "")}, errors="replace")


def _pretty(value: Any) -> str:
    """JSON to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _segment(text: object) -> str:
    """One segment of a path."""
    return quote(str(text), safe="", errors="replace")


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # at the first page: most processes show none

    environment = Environment(
        loader=PackageLoader("bullworks.board.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(time=time_text, duration=duration_text, pretty=_pretty, segment=_segment)
    environment.globals["query"] = query_text
    return environment
