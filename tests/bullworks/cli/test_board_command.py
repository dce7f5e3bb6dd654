"""`main.py board`: the board alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable

import httpx
import pytest

from bullworks.bullmq import Queue
from tests.bullworks.cli.conftest import Command

pytestmark = pytest.mark.process

Start = Callable[..., "subprocess.Popen[str]"]
STOP_S = 15


@pytest.fixture
def some_queues(redis_url: str, key_prefix: str) -> None:
    async def add() -> None:
        for name in ("email", "images"):
            async with Queue(name, connection=redis_url, prefix=key_prefix) as queue:
                await queue.add("job", {})

    asyncio.run(add())


def served(process: subprocess.Popen[str]) -> str:
    """The address that it printed."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line.startswith("http://127.0.0.1:"), f"{line!r} {process.communicate(timeout=STOP_S)[1]}"
    return line


def stop(process: subprocess.Popen[str]) -> str:
    """What it logged, once SIGTERM has ended it in order."""
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=STOP_S)
    assert process.returncode == 0, logged
    return logged


def names_in(url: str) -> list[str]:
    return [queue["name"] for queue in httpx.get(f"{url}api/queues").json()["queues"]]


def test_the_board_alone_shows_all_queues_runs_no_worker_and_has_its_port_to_itself(
    some_queues: None, start: Start, command: Command
) -> None:
    process = start("board", "--port", "0")
    url = served(process)
    assert names_in(url) == ["email", "images"]
    with httpx.Client(base_url=url) as browser:
        browser.get("")
        token = {"X-XSRF-TOKEN": browser.cookies["XSRF-TOKEN"]}
        assert browser.put("api/queues/email/pause", headers=token).json() == {}
        assert browser.get("api/queues").json()["queues"][0]["isPaused"] is True
        assert [queue["counts"]["waiting"] for queue in browser.get("api/queues").json()["queues"]] == [1, 1]
    port = url.split(":")[2].split("/")[0]
    second = command("board", "--port", port)
    assert second.code == 1
    assert f"127.0.0.1:{port} is in use by another program" in second.err
    assert "Traceback" not in second.err
    assert "local: pause, queue email" in stop(process)


def test_read_only_holds_whatever_a_request_says_and_with_a_password_browsers_must_log_in(
    some_queues: None, start: Start
) -> None:
    environment = {**os.environ, "BOARD_PASSWORD": "pass:word", "BOARD_TOKEN": "t0ken"}
    process = start("board", "--port", "0", "--read-only", "--queue", "images", env=environment)
    url = served(process)
    assert httpx.get(url).status_code == 401
    assert httpx.get(url).headers["WWW-Authenticate"].startswith("Basic ")
    assert httpx.get(f"{url}api/queues", headers={"Authorization": "Bearer t0ken"}).status_code == 200
    assert httpx.get(f"{url}api/queues", headers={"Authorization": "Bearer token"}).status_code == 401
    with httpx.Client(base_url=url, auth=("admin", "pass:word")) as browser:
        assert [queue["name"] for queue in browser.get("api/queues").json()["queues"]] == ["images"]
        browser.get("")
        refused = browser.put("api/queues/images/pause", headers={"X-XSRF-TOKEN": browser.cookies["XSRF-TOKEN"]})
        assert (refused.status_code, refused.json()["error"]["key"]) == (405, "ERRORS.QUEUE_READ_ONLY")
    logged = stop(process)
    assert "pass:word" not in logged
    assert "t0ken" not in logged


def test_a_queue_that_is_not_there_is_told_with_the_near_name(some_queues: None, command: Command) -> None:
    ran = command("board", "--port", "0", "--queue", "emial")
    assert ran.code == 1
    assert "there is no queue 'emial'. Did you mean 'email'?" in ran.err


def test_another_machine_is_not_served_without_a_password(
    some_queues: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_HOST", "0.0.0.0")
    ran = command("board", "--port", "0")
    assert ran.code == 1
    assert "is not served at 0.0.0.0" in ran.err
    assert "BOARD_PASSWORD" in ran.err
