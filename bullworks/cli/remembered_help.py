"""What `--help` says of a service's own commands, remembered: to list them the whole service has to be imported.

As with bytecode, a file in the user's cache holds until a source changes, of the service or of Bullworks. The commands
that modules contribute depend on nothing else.
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from bullworks import __version__


class RememberedHelp:
    """The help of a service's own commands, as of the last time that the service was imported for it.

    Args:
        app: the root module, as in `app.app_module:AppModule`.
    """

    def __init__(self, app: str) -> None:
        self._app = app

    def read(self) -> dict[str, str] | None:
        """Return the help of each command by name; None if nothing is remembered, or a source has changed since."""
        try:
            kept = json.loads(self._file().read_text(encoding="utf-8"))
            is_current = kept["version"] == __version__ and kept["sources"] == _stamps(kept["sources"])
            return dict(kept["help"]) if is_current else None
        except (OSError, RuntimeError, ValueError, LookupError, TypeError):
            return None

    def write(self, helps: Mapping[str, str]) -> None:
        """Remember the help of each command; the service has been imported. Without a cache nothing is remembered."""
        with contextlib.suppress(OSError, RuntimeError, LookupError):
            file = self._file()
            kept = {"version": __version__, "sources": _stamps(self._sources()), "help": dict(helps)}
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.{os.getpid()}")
            draft.write_text(json.dumps(kept), encoding="utf-8")
            draft.replace(file)

    def _file(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        service = hashlib.sha256(f"{self._folder()}:{self._app}".encode()).hexdigest()
        return cache / "bullworks" / "help" / f"{service[:32]}.json"

    def _folder(self) -> Path:
        """The folder that the service is imported from. Its packages are looked for, not imported."""
        name = self._app.partition(":")[0].partition(".")[0]
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise LookupError(name)
        origin = Path(spec.origin).resolve()
        return origin.parent.parent if spec.submodule_search_locations else origin.parent

    def _sources(self) -> set[str]:
        """The files imported from the service's folder, and their folders: one may be searched for new files."""
        folder = self._folder()
        files = [getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name != "__main__"]
        own = [path for path in (Path(file).resolve() for file in files if file) if path.is_relative_to(folder)]
        return {str(path) for file in own if "site-packages" not in file.parts for path in (file, file.parent)}


def _stamps(paths: Iterable[str]) -> dict[str, list[int]]:
    """When each file or folder was changed, ns since the epoch, and its size."""
    found = [(path, Path(path).stat()) for path in paths]
    return {path: [stat.st_mtime_ns, stat.st_size] for path, stat in found}
