"""A process that uses an embedded server: `python -m tests.bullworks.redis.embedded_user DIR BINARY`.

It attaches, prints the URL, and holds on until its standard input ends; then it closes in order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from bullworks.redis.embedded import EmbeddedServer, launch

SHORT_LINGER_MS = 300
ROOT = Path(__file__).parents[3]


class UserProcess:
    """The process, seen from the test."""

    def __init__(self, data_dir: Path, binary: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bullworks.redis.embedded_user", str(data_dir), str(binary)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        self._url = ""

    @property
    def url(self) -> str:
        """The URL it printed, waited for."""
        if not self._url:
            assert self.process.stdout is not None
            self._url = self.process.stdout.readline().decode().strip()
            assert self._url, "the user process ended without a URL"
        return self._url

    def interrupt(self) -> None:
        """What Ctrl-C on its terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=10)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=10)

    def close(self) -> None:
        """Let it close in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=15)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def main() -> None:
    """What the process does."""
    launch.LINGER_MS = SHORT_LINGER_MS
    with EmbeddedServer.attach(sys.argv[1], binary=sys.argv[2]) as server:
        print(server.url, flush=True)  # noqa: T201 - how the test gets it
        sys.stdin.read()


if __name__ == "__main__":
    main()
