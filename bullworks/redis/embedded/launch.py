"""Starts the guardian of a folder and waits for its word that the server is ready."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import bullworks
from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.log_file import open_log
from bullworks.redis.errors import EmbeddedServerError

LINGER_MS = 2_000
"""How long the server outlives its last user: long enough for `make run` after `make demo`."""

_MAX_REPORT_BYTES = 65_536


def launch_guardian(folder: DataFolder, binary: Path, deadline_s: float) -> None:
    """Start a guardian for the folder unless it has one, and wait until it runs.

    Args:
        folder: the data folder.
        binary: server program the guardian shall run.
        deadline_s: on the monotonic clock.

    Raises:
        EmbeddedServerError: the server could not be started, or not by the deadline.
    """
    read_fd, write_fd = os.pipe()
    log_fd = open_log(folder)
    try:
        options = ["--binary", str(binary), "--linger-ms", str(LINGER_MS), "--ready-fd", str(write_fd)]
        launcher = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "bullworks.redis.embedded", str(folder.path), *options],
            stdin=subprocess.DEVNULL,
            stdout=log_fd,
            stderr=log_fd,
            cwd="/",
            env=_environment(),
            pass_fds=(write_fd,),
            start_new_session=True,
        )
    finally:
        os.close(log_fd)
        os.close(write_fd)
    try:
        report = _read_report(read_fd, deadline_s)
    finally:
        os.close(read_fd)
        _reap(launcher)
    if report is None:
        reason, hint = "the server did not become ready in time", f"See {folder.log}, or allow more time."
        raise EmbeddedServerError(str(folder.path), reason, hint)
    if not report:
        raise EmbeddedServerError(str(folder.path), "its guardian ended at once", f"See {folder.log}.")
    message = json.loads(report)
    if message["outcome"] == "failed":
        raise EmbeddedServerError(str(folder.path), message["reason"], message["hint"])


def _environment() -> dict[str, str]:
    """Ours, with this very package first on the path: the guardian starts in another directory."""
    root = str(Path(bullworks.__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root}


def _read_report(fd: int, deadline_s: float) -> bytes | None:
    """What the guardian wrote until it closed the pipe; None if it did not by the deadline."""
    report = b""
    while len(report) < _MAX_REPORT_BYTES:
        readable, _, _ = select.select([fd], [], [], max(0.0, deadline_s - time.monotonic()))
        if not readable:
            return None
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        report += chunk
    return report


def _reap(launcher: subprocess.Popen[bytes]) -> None:
    """Collect the process that forked the guardian; only a machine at a standstill lets it live on."""
    try:
        launcher.wait(timeout=5)
    except subprocess.TimeoutExpired:
        launcher.kill()
        launcher.wait()
