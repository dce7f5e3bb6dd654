"""The folder's log: server and guardian append to it, and it stays small."""

from __future__ import annotations

import os
import shutil

from bullworks.redis.embedded.folder import DataFolder

MAX_LOG_BYTES = 1_048_576  # a week of a quiet server; with the copy before it, 2 MiB a folder
_TAIL_BYTES = 2_000


def open_log(folder: DataFolder) -> int:
    """Open the log for appending, as a descriptor to pass to a child as its output."""
    return os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def cap_log(folder: DataFolder) -> None:
    """Move the log to `server.log.1` once it is too long.

    Copied and cut rather than renamed: the server keeps appending to the file it was started with.
    """
    if folder.log.exists() and folder.log.stat().st_size > MAX_LOG_BYTES:
        old = folder.log.with_name(f"{folder.log.name}.1")
        shutil.copyfile(folder.log, old)
        old.chmod(0o600)
        os.truncate(folder.log, 0)


def log_tail(folder: DataFolder, start: int = 0) -> str:
    """Read the last lines of the log past byte `start`, for an error message."""
    if not folder.log.exists():
        return ""
    with folder.log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start, size - _TAIL_BYTES) if start <= size else 0)
        return file.read().decode("utf-8", "replace").strip()
