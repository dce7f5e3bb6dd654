"""`worker --processes N`: real processes, killed and told to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bullworks.cli.conftest import Command
from tests.bullworks.cli.test_processes import lines_until
from tests.bullworks.servers import is_alive, kill_by_pid
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process

Start = Callable[..., "subprocess.Popen[str]"]

START_S = 45.0


class Fleet:
    """A supervisor and its processes, seen through what they log."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> list[dict[str, Any]]:
        """All lines that are logged so far, but for one that is being written."""
        lines = self._log.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def messages(self, process: int | None = None) -> list[str]:
        return [entry["message"] for entry in self.log if entry.get("process") == process]

    def pids(self) -> dict[int, int]:
        """Those that run now, by number; the latest of each."""
        found = {}
        for message in self.messages():
            words = message.split()
            if words[:1] == ["process"] and "started," in words:
                found[int(words[1])] = int(words[-1])
        return found

    def until_up(self, count: int, times: int = 1) -> dict[int, int]:
        """Wait until each process has started so often."""

        def is_up() -> bool:
            return all(
                sum(message.startswith("AppModule started") for message in self.messages(number)) >= times
                for number in range(count)
            )

        wait_until(is_up, within_s=START_S, what=f"{count} processes; {self._log.read_text()[-3000:]}")
        return self.pids()

    def url(self) -> str:
        (message,) = (message for message in self.messages(0) if message.startswith("serving http"))
        return message.split()[1].rstrip(":")

    def wait(self, within_s: float) -> int:
        wait_until(lambda: self.process.poll() is not None, within_s=within_s, what=self._log.read_text()[-3000:])
        assert self.process.returncode is not None
        return self.process.returncode


@pytest.fixture
def fleet(start: Start, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts a supervisor with so many processes; whatever is left of it at the end is killed by its id."""
    started: list[Fleet] = []

    def run(count: int) -> Fleet:
        log = tmp_path / f"fleet-{len(started)}.log"
        with log.open("w") as output:
            made = Fleet(start("worker", "--processes", str(count), stderr=output), log)
        started.append(made)
        return made

    yield run
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait(timeout=10)
        for pid in each.pids().values():
            kill_by_pid(pid)


def counts(command: Command) -> dict[str, int]:
    found: dict[str, int] = command("queue", "counts", "email", "--json").json
    return found


@pytest.mark.timeout(120)
def test_process_0_serves_http_a_process_that_is_killed_starts_again_and_a_signal_ends_all_in_order(
    fleet: Callable[..., Fleet], command: Command, tmp_path: Path
) -> None:
    running = fleet(2)
    first = running.until_up(2)
    assert_process_0_alone_does_what_the_fleet_does_not_share(running, first)
    os.kill(first[1], signal.SIGKILL)
    second = wait_until(lambda: {} if running.pids() == first else running.pids(), within_s=START_S)
    assert (second[0], second[1] != first[1]) == (first[0], True)
    wait_until(
        lambda: running.messages(1).count("worker of queue email started, concurrency 50") == 2, within_s=START_S
    )
    (told,) = (entry for entry in running.log if entry.get("exit_code") is not None)
    assert told["message"].startswith("process 1 ended, killed by SIGKILL; restarting in ")
    assert told["exit_code"] == -9
    data = json.dumps({"email": "user@example.com", "subject": "Hi", "body": "Hello"})
    command("queue", "add", "email", "mail", data, "--new")
    wait_until(lambda: list((tmp_path / "outbox").glob("*.eml")), within_s=20)
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(within_s=20) == 0
    assert running.messages()[-1] == "all processes have ended"
    assert not any(is_alive(pid) for pid in (*first.values(), *second.values()))
    assert [running.messages(number)[-1] for number in range(2)] == ["Bullworks stopped"] * 2


def assert_process_0_alone_does_what_the_fleet_does_not_share(running: Fleet, pids: dict[int, int]) -> None:
    """It serves HTTP, and runs what is scheduled in one process."""
    assert httpx.get(f"{running.url()}/health/ready", timeout=5).text == "ok\n"
    assert httpx.get(f"{running.url()}/metrics", timeout=5).status_code == 401
    assert not any(message.startswith("serving") for message in running.messages(1))
    environments = {number: Path(f"/proc/{pid}/environ").read_text().split("\0") for number, pid in pids.items()}
    assert "SCHEDULE_RUNS=distributed" in environments[1]
    assert not any(entry.startswith("SCHEDULE_RUNS=") for entry in environments[0])


@pytest.mark.timeout(120)
def test_a_supervisor_that_is_killed_takes_its_processes_along(fleet: Callable[..., Fleet]) -> None:
    running = fleet(2)
    pids = running.until_up(2)
    running.process.kill()
    running.process.wait(timeout=10)
    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), within_s=20)
    assert all(running.messages(number)[-1] == "Bullworks stopped" for number in range(2))


@pytest.mark.timeout(120)
def test_a_process_that_hears_no_signal_is_killed_in_the_end(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUTDOWN_GRACE_MS", "100")
    running = fleet(1)
    pids = running.until_up(1)
    os.kill(pids[0], signal.SIGSTOP)
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(within_s=20) == 1
    assert not is_alive(pids[0])
    assert "process 0 did not end and was killed; its jobs stall and are retried" in running.messages()


@pytest.mark.timeout(120)
def test_a_second_signal_hands_back_what_runs(
    fleet: Callable[..., Fleet], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_HANGS", "waits")
    monkeypatch.setenv("SHUTDOWN_GRACE_MS", "60000")
    running = fleet(1)
    running.until_up(1)
    command("queue", "add", "email", "mail", json.dumps({"email": "user@example.com"}), "--new")
    wait_until(lambda: counts(command)["active"] == 1, within_s=20)
    running.process.send_signal(signal.SIGTERM)
    wait_until(lambda: any("closing; send it again to force" in text for text in running.messages(0)), within_s=10)
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(within_s=20) == 0
    assert (counts(command)["waiting"], counts(command)["active"]) == (1, 0)


@pytest.mark.timeout(120)
def test_a_port_that_is_taken_ends_the_service_but_not_a_further_worker(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("HTTP_PORT", str(port))
        further = start("worker")
        said = lines_until(further, "AppModule started")
        assert any(f"this process does not serve HTTP: 127.0.0.1:{port} is taken" in line for line in said)
        further.terminate()
        further.communicate(timeout=20)
        assert further.returncode == 0
        service = command()
        assert service.code == 1
        assert f"error: 127.0.0.1:{port} is in use" in service.err
        assert "Traceback" not in service.err
        monkeypatch.setenv("HTTP_SERVE", "always")
        assert command("worker").code == 1


@pytest.mark.timeout(60)
def test_wrong_settings_end_it_before_anything_starts(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    ran = command("worker", "--processes", "2")
    assert (ran.code, ran.out) == (2, "")
    assert "LOG_LEVEL='loud'" in ran.err


@pytest.mark.parametrize("count", ["0", "-1", "many", "1000"])
def test_a_number_of_processes_that_is_none_is_exit_code_2(command: Command, count: str) -> None:
    assert command("worker", "--processes", count).code == 2


@pytest.mark.timeout(120)
def test_processes_that_cannot_start_end_it_with_their_exit_code(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENABLED_WORKERS", "no-such-worker")
    running = fleet(1)
    assert running.wait(within_s=START_S) == 2
    assert any("could not start, exit code 2; ending all" in message for message in running.messages())


def test_the_help_teaches(command: Command) -> None:
    ran = command("worker", "--help")
    for word in ("--processes", "serves HTTP", "distributed", "starts again", "Exit code", "Example: main.py worker"):
        assert word in ran.out
