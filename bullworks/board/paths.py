"""Which part of a path is the board's, split before it is decoded: a job's id may hold a slash, written %2F."""

from urllib.parse import quote, unquote, urlsplit

from starlette.types import Scope

OWN = "-"
"""The segment that our own pages lie below: no queue page of Bull Board's begins so."""

_UNQUOTED = "/:@!$&'()*+,;=~"


def segments_of(scope: Scope) -> tuple[str, ...]:
    """Split the path below the board's mount point into decoded segments.

    `()` is the board itself. Mounting leaves the whole path in the scope, or (some frameworks) only the rest.
    """
    given = scope.get("raw_path")
    raw: str = quote(scope["path"], safe=_UNQUOTED) if given is None else given.decode("latin-1").partition("?")[0]
    root = quote(scope.get("root_path", ""), safe=_UNQUOTED).rstrip("/")
    if root and (raw == root or raw.startswith(f"{root}/")):
        raw = raw[len(root) :]
    rest = raw.strip("/")
    return tuple(unquote(segment) for segment in rest.split("/")) if rest else ()


def base_of(scope: Scope, public_url: str | None = None) -> str:
    """The board's base path as browsers see it, with a trailing slash; its pages' links begin with it."""
    root = scope.get("root_path", "") if public_url is None else urlsplit(public_url).path
    return quote(root, safe=_UNQUOTED).rstrip("/") + "/"


def own_of(base: str) -> str:
    """The path of our own pages, without a trailing slash."""
    return f"{base}{OWN}"
