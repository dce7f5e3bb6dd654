"""What the processes on one data folder tell each other about its server."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from bullworks.redis.embedded.folder import DataFolder

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServerState:
    """The content of a folder's state file; whether that server still runs is for `answering` to say."""

    pid: int  # 0 until the process is known
    port: int
    run_id: str  # "" until the server has answered
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The URL to connect with, including the password."""
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{self.port}/0"


def read_state(folder: DataFolder) -> ServerState | None:
    """Read the state file; None if it is missing or invalid."""
    try:
        raw = json.loads(folder.state.read_text(encoding="utf-8"))
        return ServerState(
            pid=int(raw["pid"]),
            port=int(raw["port"]),
            run_id=str(raw["run_id"]),
            password=str(raw["password"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_state(folder: DataFolder, state: ServerState) -> None:
    """Replace the state file in one step, so that no reader sees half of it."""
    write_private(folder.state, json.dumps(asdict(state)))


def write_private(path: Path, text: str) -> None:
    """Replace a file that only this user may read."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
