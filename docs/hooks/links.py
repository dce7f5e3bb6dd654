"""Pages that are written for GitHub, made ready for MkDocs: where links lead, and what begins a list."""

import posixpath
import re
from collections.abc import Callable

_FENCED = re.compile(r"^(?P<fence>```+).*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_ITEM = re.compile(r"(?P<indent> *)(?:[-*]|\d+\.) ")


def ready_for_site(
    text: str, source: str, path_on_site: Callable[[str], str | None], exists: Callable[[str], bool]
) -> str:
    """Rewrite a page's links and lists; code blocks stay as they are.

    Args:
        source: the page's path in the repository.
        path_on_site: path in the repository -> path on the site, or None for what is not on it.
        exists: whether a path is in the repository. A link to what is there and not on the site becomes its text; a
            link to nothing stays, for MkDocs to report.
    """
    here = posixpath.dirname(path_on_site(source) or source)

    def lead(link: re.Match[str]) -> str:
        target, hash_sign, anchor = link["target"].partition("#")
        if not target or ":" in target:
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        page = path_on_site(path)
        if page is None:
            return link["text"] if exists(path) else link[0]
        return f"[{link['text']}]({posixpath.relpath(page, here or '.')}{hash_sign}{anchor})"

    def ready(part: str) -> str:
        return _spaced(_LINK.sub(lead, part))

    parts, end = [], 0
    for block in _FENCED.finditer(text):
        parts += [ready(text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, ready(text[end:])])


def _spaced(text: str) -> str:
    """Python-Markdown begins a list only after an empty line, and one in another only after four spaces."""
    lines: list[str] = []
    for line in text.split("\n"):
        item = _ITEM.match(line)
        before = lines[-1] if lines else ""
        if item is not None and before and not _ITEM.match(before) and not before.startswith(" "):
            lines.append("")
        lines.append("  " + line if item is not None and len(item["indent"]) in {2, 3} else line)
    return "\n".join(lines)
