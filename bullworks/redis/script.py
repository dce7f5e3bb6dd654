"""Lua scripts: read from a package folder at first use, with their shared parts, and known to Redis by their SHA1."""

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

_INCLUDE = re.compile(r"^-- include: (lib/[a-z_]+\.lua)$", re.MULTILINE)
_WITHIN = re.compile(r"^ +-- include within: (lib/[a-z_]+\.lua)$", re.MULTILINE)


class Script:
    """One Lua file with what it includes, ready for EVALSHA, or EVAL where the server has forgotten it.

    A process knows some seventy scripts and runs a few, so each is read when it is first run.

    Args:
        name: of the file, without its ending.
        read: returns the source.
    """

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        self.name = name
        self._read = read

    def __repr__(self) -> str:
        return f"Script({self.name!r})"

    @cached_property
    def source(self) -> bytes:
        """The text that EVAL takes.

        Raises:
            FileNotFoundError: the script, or a file that it includes, is not in the package.
        """
        return self._read()

    @cached_property
    def sha(self) -> bytes:
        """The SHA1 of the source in hex, which EVALSHA takes."""
        return hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()

    @classmethod
    def load(cls, package: str, name: str) -> "Script":
        """Return the script of `<package>/lua/<name>.lua` and the `lib/` files it includes, dependencies first.

        `-- include within: lib/x.lua` stands in a function and is replaced by that file, and by what it includes that
        is not at the top of the script: Lua makes those functions only when that function is called.
        """

        def read() -> bytes:
            folder = files(package) / "lua"
            body = (folder / f"{name}.lua").read_text(encoding="utf-8")
            return _assemble(folder, body, seen=set()).encode()

        return cls(name, read)


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
