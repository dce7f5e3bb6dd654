"""Lua scripts: read from a package folder once, with their shared parts, and known to Redis by their SHA1."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable

_INCLUDE = re.compile(r"^-- include: (lib/[a-z_]+\.lua)$", re.MULTILINE)
_WITHIN = re.compile(r"^ +-- include within: (lib/[a-z_]+\.lua)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file with what it includes, ready for EVALSHA, or EVAL where the server has forgotten it."""

    name: str
    source: bytes = field(repr=False)
    sha: bytes

    @classmethod
    def load(cls, package: str, name: str) -> "Script":
        """Read `<package>/lua/<name>.lua` and the `lib/` files it includes, each once, dependencies first.

        `-- include within: lib/x.lua` stands in a function and is replaced by that file, and by what it includes that
        is not at the top of the script: Lua makes those functions only when that function is called.

        Raises:
            FileNotFoundError: the script, or a file that it includes, is not in the package.
        """
        folder = files(package) / "lua"
        body = (folder / f"{name}.lua").read_text(encoding="utf-8")
        source = _assemble(folder, body, seen=set()).encode()
        return cls(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())


def _assemble(folder: Traversable, body: str, seen: set[str]) -> str:
    text = "\n".join([*_libraries(folder, body, seen), body])
    return _WITHIN.sub(
        lambda found: _assemble(folder, (folder / found[1]).read_text(encoding="utf-8"), set(seen)), text
    )


def _libraries(folder: Traversable, text: str, seen: set[str]) -> Iterator[str]:
    for path in _INCLUDE.findall(text):
        if path not in seen:
            seen.add(path)
            library = (folder / path).read_text(encoding="utf-8")
            yield from _libraries(folder, library, seen)
            yield library
