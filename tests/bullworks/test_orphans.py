"""A run of tests that is ended from outside leaves no server behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bullworks.orphans import end_with_tests
from tests.bullworks.servers import is_alive
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.kill

ROOT = Path(__file__).resolve().parents[2]
TEST = """
import threading
from pathlib import Path

from tests.bullworks.servers import RedisServer


def test_that_never_ends(tmp_path):
    with RedisServer(tmp_path) as server:
        Path("pid.new").write_text(str(server.pid))
        Path("pid.new").rename("pid")
        threading.Event().wait(100)
"""


@pytest.mark.parametrize(
    ("signum", "processes"),
    [(signal.SIGTERM, "0"), (signal.SIGKILL, "1")],
    ids=["SIGTERM to one process", "SIGKILL to xdist"],
)
def test_a_run_that_is_killed_leaves_no_server(tmp_path: Path, signum: signal.Signals, processes: str) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", processes]
    with subprocess.Popen(
        [*command, "--rootdir", str(tmp_path), "--basetemp", str(tmp_path / "temp"), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        end_with_tests(run)
        try:
            wait_until((tmp_path / "pid").exists, within_s=40, what="the test to start its server")
            server_pid = int((tmp_path / "pid").read_text())
            assert is_alive(server_pid)
            run.send_signal(signum)
            assert run.wait(timeout=20) == -signum
            wait_until(lambda: not is_alive(server_pid), within_s=40, what="the server to be gone")
        finally:
            run.kill()
