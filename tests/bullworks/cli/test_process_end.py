"""A process that is asked to stop ends: while it starts, with handlers that never return, as PID 1, on SIGHUP."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bullworks.cli.conftest import ROOT, Command
from tests.bullworks.cli.test_processes import lines_until
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import wait_until

Start = Callable[..., "subprocess.Popen[str]"]

# The watchdog's margin past the grace time is 3 s; the rest is for a loaded machine.
END_S = 40
pytestmark = [pytest.mark.timeout(120), pytest.mark.process]


def hold_a_job(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch, how: str, *arguments: str
) -> subprocess.Popen[str]:
    """A process with a job whose handler never ends."""
    monkeypatch.setenv("MAIL_HANGS", how)
    process = start(*arguments)
    lines_until(process, "started")
    command("queue", "add", "email", "mail", json.dumps({"email": "user@example.com"}), "--new")
    wait_until(lambda: command("queue", "counts", "email", "--json").json["active"] == 1, within_s=30)
    return process


def children_of(pid: int) -> list[int]:
    """The processes that this one started, as Linux tells them."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(
    ("how", "arguments"), [("swallows", ()), ("blocks", ("worker",)), ("in-a-thread", ())], ids=str
)
def test_a_handler_that_never_returns_does_not_keep_the_process(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch, how: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SHUTDOWN_GRACE_MS", "200")
    process = hold_a_job(start, command, monkeypatch, how, *arguments)
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 1
    (told,) = [json.loads(line) for line in logged.splitlines() if "exceeded its grace time" in line]
    assert told["level"] == "CRITICAL"
    assert "thread MainThread:" in told["message"]
    if how == "blocks":
        assert "service.py" in told["message"], "its stack says where"


def test_a_third_signal_ends_a_blocked_process_at_once(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUTDOWN_GRACE_MS", "3600000")
    process = hold_a_job(start, command, monkeypatch, "blocks")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):  # two of a kind may arrive as one
        process.send_signal(number)
    process.communicate(timeout=END_S)
    assert process.returncode in {128 + number for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}


def test_sighup_closes_in_order(start: Start) -> None:
    process = start()
    lines_until(process, "started")
    process.send_signal(signal.SIGHUP)
    _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 0
    assert "SIGHUP received, closing" in logged
    assert json.loads(logged.splitlines()[-1])["message"] == "Bullworks stopped"


def test_under_nohup_sighup_is_ignored(start: Start) -> None:
    process = start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    lines_until(process, "started")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 0
    assert "SIGTERM received, closing" in logged


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal, as Linux tells it."""
    (mask,) = re.findall(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.parametrize("delay_ms", [1, 300, 1_000])
def test_a_signal_in_the_midst_of_the_start_ends_it(start: Start, delay_ms: int) -> None:
    """In whatever the interpreter is doing then: imports, linking, connecting. Exit code 0: nothing was left undone."""
    process = start()
    wait_until(lambda: handles(process.pid, signal.SIGTERM), within_s=END_S, what="main() to be called")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=delay_ms / 1000)
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 0, logged
    assert "Traceback" not in logged


def test_an_interrupt_while_it_imports_ends_without_a_traceback(start: Start) -> None:
    process = start()
    wait_until(lambda: handles(process.pid, signal.SIGTERM), within_s=END_S, what="main() to be called")
    process.send_signal(signal.SIGINT)
    _, logged = process.communicate(timeout=END_S)
    assert process.returncode in (0, 130)
    assert "Traceback" not in logged


IN_A_CALLBACK = """
import signal, weakref
from bullworks.cli.early_signals import EarlySignals
class Module: pass
with EarlySignals(is_serving=False).handled():
    module = Module()
    lock = weakref.ref(module, lambda _: signal.raise_signal(signal.SIGINT))
    del module
    print("it went on")
"""


def test_an_interrupt_in_a_callback_of_the_import_system_is_not_lost() -> None:
    """What is raised there, Python reports as "Exception ignored" and goes on."""
    ended = subprocess.run(
        [sys.executable, "-c", IN_A_CALLBACK], cwd=ROOT, capture_output=True, text=True, timeout=END_S, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_start_that_waits_for_redis_ends_on_a_signal(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that listens, and whose owner never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("QUEUE_REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        monkeypatch.setenv("QUEUE_CONNECT_TIMEOUT_MS", "3600000")
        process = start()
        lines_until(process, "starts in")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 0, logged
    assert json.loads(logged.splitlines()[-1])["message"] == "Bullworks stopped"


@pytest.mark.skipif(sys.platform != "linux", reason="PID namespaces are Linux's")
def test_as_pid_1_a_signal_in_the_first_moments_is_not_dropped() -> None:
    """The kernel drops a signal for PID 1 that it has no handler for."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    if subprocess.run([unshare, "--pid", "--fork", "true"], check=False, timeout=10).returncode != 0:
        pytest.skip("this user may not make a PID namespace")
    command = [
        unshare,
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        str(ROOT / "tests/bullworks/cli/service_main.py"),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end_with_tests(process)
    try:
        (child,) = wait_until(lambda: children_of(process.pid), within_s=END_S)
        wait_until(lambda: handles(child, signal.SIGTERM), within_s=END_S, what="main() to be called")
        os.kill(child, signal.SIGTERM)
        _, logged = process.communicate(timeout=END_S)
        assert process.returncode == 0, logged
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=10)


def test_with_standard_input_closed_the_processes_run_and_end_on_ctrl_c(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "fleet.log"
    with log.open("w") as output:
        process = start("worker", "--processes", "1", stderr=output, stdin=None, preexec_fn=lambda: os.close(0))
    wait_until(lambda: "AppModule started" in log.read_text(), within_s=60, what=log.read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=END_S) == 0
    assert "restarting in" not in log.read_text()
