"""The service and `redis-url` as processes: signals, exit codes, the embedded server they share."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.bullworks.cli.conftest import Command
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process

START_S = 20.0

Start = Callable[..., "subprocess.Popen[str]"]


def lines_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """What the process logs up to the line with this word; the test's own time limit bounds the wait."""
    lines: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"no line with {word!r} before the process ended: {lines}")


@pytest.mark.timeout(60)
def test_the_service_sends_a_queued_mail_and_ends_in_order_on_a_signal(
    start: Start, command: Command, tmp_path: Path
) -> None:
    service = start()
    lines_until(service, "started")
    data = json.dumps({"email": "user@example.com", "subject": "Hi", "body": "Hello"})
    job_id = command("queue", "add", "email", "mail", data, "--new", "--json").json["id"]
    (mail,) = wait_until(lambda: list((tmp_path / "outbox").glob("*.eml")), within_s=10)
    assert "To: user@example.com" in mail.read_text()
    wait_until(lambda: command("job", "show", job_id, "--json").json["state"] == "completed", within_s=10)
    service.send_signal(signal.SIGTERM)
    out, err = service.communicate(timeout=15)
    assert (service.returncode, out) == (0, "")
    logged = [json.loads(line) for line in err.splitlines()]
    assert logged[-1]["message"] == "Bullworks stopped"
    assert not any("user@example.com" in line for line in err.splitlines())


@pytest.mark.timeout(60)
def test_a_process_with_workers_off_only_adds(start: Start, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS_ENABLED", "false")
    service = start()
    lines_until(service, "started")
    command("queue", "add", "email", "mail", "{}", "--new")
    service.send_signal(signal.SIGINT)
    service.communicate(timeout=15)
    assert service.returncode == 0
    assert command("queue", "counts", "email", "--json").json["waiting"] == 1


@pytest.mark.timeout(60)
def test_a_second_process_attaches_to_the_same_embedded_server(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUEUE_REDIS_URL")
    holding = start("redis-url", "--hold")
    assert holding.stdout is not None
    url = holding.stdout.readline().strip()
    with redis.Redis.from_url(url) as client:
        assert client.ping()
    assert command("redis-url").out.strip() == url
    command("queue", "add", "email", "mail", "{}", "--new")
    assert command("queue", "list", "--json").json["email"]["waiting"] == 1
    holding.send_signal(signal.SIGINT)
    holding.communicate(timeout=15)
    assert holding.returncode == 130
    # The data outlives the server: it starts again for whoever asks next.
    assert command("queue", "list", "--json").json["email"]["waiting"] == 1
