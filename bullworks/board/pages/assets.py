"""Style and script of our pages: looked up by name among what was loaded once."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_MEDIA_TYPES = {"style.css": "text/css", "board.js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, and the hash that names its content."""

    content: bytes
    media_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """Load all static files, by name."""
    folder = files("bullworks.board.pages") / "assets"
    loaded = {}
    for name, media_type in _MEDIA_TYPES.items():
        content = (folder / name).read_bytes()
        loaded[name] = Asset(content, media_type, f'"{sha256(content).hexdigest()[:32]}"')
    return loaded


_ASSETS = load_assets()


async def asset(request: Request) -> Response:
    """Serve a static file; 304 if the browser has it already."""
    found = _ASSETS.get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("there is no such file\n", 404)
    # asked for each time, so that a page and its script are of one release
    headers = {"Cache-Control": "private, no-cache", "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(None, 304, headers)
    return Response(found.content, 200, headers, found.media_type)
