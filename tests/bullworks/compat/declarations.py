"""What npm bullmq exports, read from its type declarations: names, and the public members of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.bullworks.compat.node import FOLDER

DECLARATIONS = FOLDER / "node_modules" / "bullmq" / "dist" / "esm"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_FROM = re.compile(r"export \* from '(?P<path>[^']+)'")
_EXPORT = re.compile(
    r"export (?:declare )?(?:abstract )?(?P<kind>class|interface|enum|type|const|function|var) (?P<name>\w+)"
)
_REEXPORT = re.compile(r"export (?:type )?\{(?P<names>[^}]+)\} from")
_HIDDEN = re.compile(r"^(private|protected)\b")
_MODIFIERS = re.compile(r"^((static|readonly|get|set|abstract|declare)\s+(?=[\w'\"]))+")
_NAME = re.compile(r"^(?:'(?P<quoted>[^']+)'|(?P<name>\w+))\s*(?:[?<(:=]|$)")
_OPENING, _CLOSING = "{([", "})]"


@dataclass(frozen=True, slots=True)
class Declared:
    """One export; `members` where it has any."""

    name: str
    kind: str
    members: frozenset[str] = field(default_factory=frozenset)


def exported(root: Path = DECLARATIONS) -> dict[str, Declared]:
    """All that `import ... from 'bullmq'` can name."""
    found: dict[str, Declared] = {}
    _read(root / "index.d.ts", found, set())
    return found


def _read(file: Path, found: dict[str, Declared], seen: set[Path]) -> None:
    if file in seen:
        return
    seen.add(file)
    text = _COMMENT.sub("", file.read_text())
    for match in _FROM.finditer(text):
        _read(_file_of(file.parent / match["path"]), found, seen)
    for match in _REEXPORT.finditer(text):
        for given in filter(None, (name.strip() for name in match["names"].split(","))):
            name = given.split(" as ")[-1].removeprefix("type ")
            found[name] = Declared(name, "reexport")
    for match in _EXPORT.finditer(text):
        members: set[str] = set()
        if match["kind"] in {"class", "interface", "enum"}:
            body = _block(text, text.index("{", _past_generics(text, match.end())))
            members = _members(body, "," if match["kind"] == "enum" else ";")
        elif match["kind"] == "type":
            for body in _literals(_until(text, match.end(), ";")):
                members |= _members(body, ";")
        earlier = found.get(match["name"])
        members |= earlier.members if earlier else frozenset()
        found[match["name"]] = Declared(match["name"], match["kind"], frozenset(members))


def _file_of(path: Path) -> Path:
    as_file = path.with_name(path.name + ".d.ts")
    return as_file if as_file.exists() else path / "index.d.ts"


def _past_generics(text: str, at: int) -> int:
    """Behind `<...>`, in which a `{` may stand."""
    if text[at] != "<":
        return at
    depth = 0
    while True:
        if text[at] == "<":
            depth += 1
        elif text[at] == ">" and text[at - 1] != "=":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1


def _block(text: str, opening: int) -> str:
    """What stands between a brace and the one that closes it."""
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] in _OPENING) - (text[at] in _CLOSING)
        if depth == 0:
            return text[opening + 1 : at]
    raise ValueError(f"a brace is not closed: {text[opening : opening + 80]}")


def _until(text: str, start: int, end: str) -> str:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in _OPENING) - (text[at] in _CLOSING)
        if depth == 0 and text[at] == end:
            return text[start:at]
    return text[start:]


def _literals(text: str) -> list[str]:
    """The object types of an alias: `{...} & {...}`."""
    bodies: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "{":
            body = _block(text, at)
            bodies.append(body)
            at += len(body) + 1
        at += 1
    return bodies


def _members(body: str, separator: str) -> set[str]:
    members: set[str] = set()
    at = 0
    while at < len(body):
        statement = _until(body, at, separator)
        at += len(statement) + 1
        name = _member(statement.strip())
        if name is not None:
            members.add(name)
    return members


def _member(statement: str) -> str | None:
    if not statement or _HIDDEN.match(statement):
        return None
    match = _NAME.match(_MODIFIERS.sub("", statement))
    if match is None:
        return None
    name = match["quoted"] or match["name"]
    # What begins with _ is private by custom, whatever the compiler was told.
    return None if name == "constructor" or name.startswith("_") else name
