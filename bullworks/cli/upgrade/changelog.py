"""The changelog that comes with Bullworks, from a version on."""

import re
from pathlib import Path

import bullworks

_FILE = "CHANGELOG.md"
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\]", re.MULTILINE)


def changelog_since(version: str) -> str:
    """The sections on what is newer than a version, the newest first; empty if this Bullworks has no changelog."""
    return sections_since(_text(), version)


def sections_since(text: str, version: str) -> str:
    """The sections of a changelog above that of a version: all of them if it has none. Empty ones are left out."""
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    found = []
    for heading, end in zip(headings, ends, strict=True):
        if heading["version"] == version:
            break
        section = text[heading.start() : end].strip()
        if "\n" in section:
            found.append(section)
    return "\n\n".join(found)


def _text() -> str:
    # In the wheel it lies in the package (hatch_build.py), in a checkout beside it.
    package = Path(bullworks.__file__).parent
    found = [file for file in (package / _FILE, package.parent / _FILE) if file.is_file()]
    return found[0].read_text("utf-8") if found else ""
