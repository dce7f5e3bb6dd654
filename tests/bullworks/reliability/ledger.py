"""A ledger outside Redis: which handler runs began and ended, whatever was killed meanwhile."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path


class Ledger:
    """An append-only file of lines that several processes write, each line in one write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def note(self, what: str, job_id: str) -> None:
        """Write one line; a SIGKILL just after loses nothing."""
        if self._fd is None:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._fd, f"{what} {job_id}\n".encode())

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def entries(self) -> list[tuple[str, str]]:
        """All that was noted, in order: what, and the id."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [(what, job_id) for what, _, job_id in (line.partition(" ") for line in lines)]

    def ids(self, what: str) -> list[str]:
        """The ids noted under `what`, in order."""
        return [job_id for noted, job_id in self.entries() if noted == what]

    def count(self, what: str) -> Counter[str]:
        """How often each id was noted under `what`."""
        return Counter(self.ids(what))
