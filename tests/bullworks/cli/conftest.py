"""Runs command lines: in this process for speed, in a process of its own where that matters."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bullworks.cli import main
from tests.bullworks.cli.service import AppModule
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.settings.conftest import VARIABLES

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def environment(redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real server, keys of this test's own, and nothing that the developer has set."""
    for name in [name for name in os.environ if name.upper() in VARIABLES]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("QUEUE_DATA_DIR", str(tmp_path / "redis"))
    monkeypatch.setenv("MAIL_OUTBOX_DIR", str(tmp_path / "outbox"))
    monkeypatch.setenv("HTTP_PORT", "0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """What is run in this process configures its logging, which later tests do not want."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def service() -> type[Any]:
    """The root module that `command` is about."""
    return AppModule


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], service: type[Any]) -> Command:
    """Runs a command line in this process: `command("queue", "list")`."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(service, arguments)
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the test's service with these arguments in a process of its own, from another folder than the checkout."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "tests/bullworks/cli/service_main.py"), *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen(command, cwd="/", text=True, **pipes)
        end_with_tests(process)
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)
