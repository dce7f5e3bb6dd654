"""`main.py demo` in a process of its own, and the other commands on the service as it is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.app_module import AppModule
from bullworks.cli import main
from tests.bullworks.orphans import end_with_tests

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path, redis_url: str, key_prefix: str) -> Iterator[Start]:
    """Starts `main.py` with these arguments, from another folder than the checkout."""
    processes: list[subprocess.Popen[str]] = []
    environment = {
        **os.environ,
        "QUEUE_REDIS_URL": redis_url,
        "QUEUE_PREFIX": key_prefix,
        "QUEUE_DATA_DIR": str(tmp_path / "redis"),
        "MAIL_OUTBOX_DIR": str(tmp_path / "outbox"),
    }

    def run(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "main.py"), *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen(command, cwd="/", text=True, env=environment, **pipes)
        end_with_tests(process)
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `main.py` prints with these arguments."""
    with pytest.raises(SystemExit):
        main(AppModule, arguments)
    return capsys.readouterr().out


def test_the_help_lists_the_command_of_a_feature(capsys: pytest.CaptureFixture[str]) -> None:
    assert "demo" in printed(capsys, "--help")
    help_of_demo = printed(capsys, "demo", "--help")
    assert "--mails" in help_of_demo
    assert "Example" in help_of_demo


def test_the_modules_of_the_service_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "modules").splitlines()
    assert lines[0] == "AppModule"
    assert any("EmailWorker processes email as worker email" in line for line in lines)
    assert any(line.endswith("QueueModule(email)  (above)") for line in lines)


@pytest.mark.timeout(90)
def test_the_demo_sends_every_mail_and_says_how_it_went(start: Start, tmp_path: Path) -> None:
    demo = start("demo", "--mails", "60", "--fail-every", "10")
    out, err = demo.communicate(timeout=80)
    assert demo.returncode == 0, err
    first, second, third = out.splitlines()
    assert first.startswith("60 of 60 mails sent in ")
    assert second == "6 failed at first and were tried again: 66 attempts in all."
    assert third == f"The mails are in {tmp_path / 'outbox' / 'demo'}"
    assert len(list((tmp_path / "outbox" / "demo").glob("*.eml"))) == 60
    assert "of 60 mails" in err
    assert "\x1b" not in out + err


@pytest.mark.timeout(90)
def test_the_demo_draws_a_bar_on_a_terminal(start: Start) -> None:
    ours, theirs = pty.openpty()
    demo = start("demo", "--mails", "20", stderr=theirs, stdout=theirs)
    os.close(theirs)
    seen = b""
    deadline_s = time.monotonic() + 80
    while time.monotonic() < deadline_s:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break  # the other end was closed
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert demo.wait(timeout=10) == 0
    text: Any = seen.decode()
    assert "welcome mails" in text
    assert "20/20" in text
    assert "20 of 20 mails sent" in text
