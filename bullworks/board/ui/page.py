"""Bull Board's page, once it was fetched: its HTML, and the files it asks for."""

import html
import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bullworks.board.ui.fetch import DIST, is_fetched

_HASHED = re.compile(r"\.[0-9a-f]{8,}\.")
# From another server, which our policy forbids anyway; the page falls back to the system's fonts.
_FONTS = re.compile(r'<link href="https://fonts\.[^>]*>\s*')
_PLACE = re.compile(r"<%[-=]\s*(\w+)\s*%>")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A static file of Bull Board's page.

    Attributes:
        is_immutable: its name holds its hash, so browsers need not ask again.
    """

    content: bytes
    media_type: str
    is_immutable: bool


class BoardUi:
    """Bull Board's page, held in memory: about 3 MB.

    Args:
        template: index.ejs.
        files: by path below `static/`. Only these names are answered for, so no path leads elsewhere.
    """

    def __init__(self, template: str, files: Mapping[str, StaticFile]) -> None:
        self._template = _FONTS.sub("", template)
        self.files = files

    @classmethod
    def load(cls, folder: Path = DIST) -> "BoardUi | None":
        """Load the page from its folder; None if it was not downloaded."""
        return _read(folder) if is_fetched(folder) else None

    def html(self, base: str, config: Mapping[str, Any]) -> str:
        """Render the page's HTML for a board.

        Args:
            base: where the board is, with a slash at the end.
            config: Bull Board's uiConfig.
        """
        icons = config["favIcon"]
        places = {
            "basePath": html.escape(base),
            "title": html.escape(str(config["boardTitle"])),
            "favIconDefault": html.escape(icons["default"]),
            "favIconAlternative": html.escape(icons["alternative"]),
            # inside a script element: nothing in it may end that
            "uiConfig": json.dumps(config).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        }
        return _PLACE.sub(lambda place: places.get(place[1], ""), self._template)


# Once: a folder that is fetched holds this very version, and the boards of a process share it.
@lru_cache(maxsize=1)
def _read(folder: Path) -> BoardUi:
    static = folder / "static"
    files = {
        path.relative_to(static).as_posix(): StaticFile(
            path.read_bytes(),
            mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            _HASHED.search(path.name) is not None,
        )
        for path in sorted(static.rglob("*"))
        if path.is_file() and path.suffix != ".map"
    }
    return BoardUi((folder / "index.ejs").read_text(encoding="utf-8"), files)
