"""Anchors: links of a page to the line that defines a name, as in [`Queue.add`](../bullworks/x/queue.py#L106).

The name is as Python qualifies it within its file. `python -m tests.repository.anchors` puts the right lines into all
pages; `make format` does that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_ANCHOR = re.compile(r"\[`(?P<name>[\w.]+)`\]\((?P<path>[^)#\s]+\.py)#L(?P<line>\d+)\)")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link that names a definition.

    Attributes:
        written: the line it leads to.
        defined: the line where the name is defined, 1 or more; None where its file does not define it.
    """

    name: str
    path: str
    written: int
    defined: int | None


def anchors_of(text: str, folder: Path) -> Iterator[Anchor]:
    """The anchors in a page's text, whose links begin at `folder`."""
    for match in _ANCHOR.finditer(text):
        lines = definitions_in((folder / match["path"]).resolve())
        yield Anchor(match["name"], match["path"], int(match["line"]), lines.get(match["name"]))


def mended(text: str, folder: Path) -> str:
    """The page's text with each anchor at its definition; one whose name is gone stays as it is."""

    def mend(match: re.Match[str]) -> str:
        line = definitions_in((folder / match["path"]).resolve()).get(match["name"], match["line"])
        return f"[`{match['name']}`]({match['path']}#L{line})"

    return _ANCHOR.sub(mend, text)


@cache
def definitions_in(file: Path) -> dict[str, int]:
    """The line of each class and function in a file, by qualified name; none of a file that is not there."""
    if not file.is_file():
        return {}
    lines: dict[str, int] = {}

    def look(body: list[ast.stmt], outer: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                # The first of several: a property's getter, not its setter.
                lines.setdefault(outer + node.name, node.lineno)
                look(node.body, f"{outer}{node.name}.")

    look(ast.parse(file.read_text()).body, "")
    return lines


def main() -> None:
    """Mend every page."""
    for page in PAGES:
        text = page.read_text()
        right = mended(text, page.parent)
        if right != text:
            page.write_text(right)


if __name__ == "__main__":
    main()
