"""Programs that tests start end with the tests, however those end: a watcher kills what a dead run leaves behind.

The watcher is a process of its own that reads the ids of programs from a pipe. The pipe ends when the tests do, also
by SIGKILL, and the watcher kills those programs that still run. It imports nothing but the standard library, because
it runs this file as a script.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_watchers: dict[int, subprocess.Popen[bytes]] = {}


def end_with_tests(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Have a program killed when this process is gone; fine if it has ended by then."""
    watcher = _watchers.get(os.getpid())
    if watcher is None:
        # A session of its own: what ends the tests, Ctrl-C or a closed terminal, does not end the watcher.
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _watchers[os.getpid()] = watcher
        atexit.register(_let_go, os.getpid())
    assert watcher.stdin is not None
    watcher.stdin.write(b"%d\n" % process.pid)
    watcher.stdin.flush()


def _let_go(tests: int) -> None:
    """Let the watcher end with the tests; in a fork of theirs it is not ours to end."""
    if os.getpid() == tests:
        _watchers.pop(tests).communicate()


def _started(pid: int) -> str:
    """When a process started; empty if there is none. With its id it names one process, ids alone are used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _watch() -> None:
    programs = {}
    for line in sys.stdin.buffer:
        pid = int(line)
        programs[pid] = _started(pid)
    for pid, started in programs.items():
        if started and _started(pid) == started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    _watch()
