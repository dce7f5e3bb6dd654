"""Rendering: every value is escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

_environment = Environment(
    loader=PackageLoader("app.board.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A page of the template, which also sees `base`, `xsrf`, `who` and `title`."""
    state = request.state
    context = {"base": state.base, "xsrf": state.xsrf, "who": state.who, "title": state.board.options.title}
    return HTMLResponse(_environment.get_template(template).render(context | values))
