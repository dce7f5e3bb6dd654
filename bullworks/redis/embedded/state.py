"""What the processes on one data folder tell each other about its server."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.endpoint import Endpoint

HOST = "127.0.0.1"
_PROBE_TIMEOUT_MS = 2_000


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


def answering(folder: DataFolder, state: ServerState) -> ServerState | None:
    """Check that the server of `state` answers, and complete `state` from its answer; None if it is another.

    A port or pid may have passed to another process since the file was written: the run id, which no two
    servers share, and the folder it works in have to agree.
    """
    client = Endpoint.of(state.url, connect_timeout_ms=_PROBE_TIMEOUT_MS).sync_client()
    try:
        info = client.info()
        directory = client.config_get("dir")
    except (redis.RedisError, OSError):
        return None
    finally:
        client.close()
    if not isinstance(info, dict) or info.get("loading"):
        return None
    # A path need not be UTF-8; redis-py puts U+FFFD where it is not.
    if directory.get("dir") != os.fsencode(folder.path).decode("utf-8", "replace"):
        return None
    run_id = str(info.get("run_id"))
    if state.run_id not in {"", run_id}:
        return None
    return ServerState(pid=int(info["process_id"]), port=state.port, run_id=run_id, password=state.password)
