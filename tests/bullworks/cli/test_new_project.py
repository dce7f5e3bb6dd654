"""A project that `new` wrote: its Makefile sets it up, its tests pass, and it starts. Its code: tests/repository."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bullworks.cli.scaffold import Project, write_project
from tests.bullworks.cli.conftest import ROOT
from tests.bullworks.cli.growing import grow
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process

LIMIT_S = 100.0


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder on the path with the framework in it and no `app`, as an installed wheel is."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "bullworks").symlink_to(ROOT / "bullworks", target_is_directory=True)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    lines = write_project(Project(name="shop", checkout=ROOT), folder)
    assert lines < 600
    return folder


@pytest.fixture
def environment(installed: Path) -> dict[str, str]:
    """Where the project finds Bullworks. No server is named: one that is needed must be given."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What it printed, having ended well."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(LIMIT_S + 20)
def test_make_sets_it_up_once_passes_arguments_on_and_its_tests_pass_without_a_server(
    project: Path, environment: dict[str, str]
) -> None:
    """With a Python in its .venv that notes what pip is asked to install, and installs nothing."""
    grow(project)
    # A server that nobody listens at: a test that reached for one would fail.
    nowhere = {**environment, "QUEUE_REDIS_URL": "redis://127.0.0.1:1", "GREETING": "Good morning"}
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\nif [ "$2" = pip ]; then echo "$@" >> pip.log; else exec "{sys.executable}" "$@"; fi\n'
    )
    python.chmod(0o755)
    printed = run(["make", "test", "ARGS=-q -p no:cacheprovider"], project, nowhere)
    assert printed.count("Installing into .venv") == 1
    assert "36 passed" in printed
    assert "--processes" in run(["make", "run", "ARGS=worker --help"], project, environment)
    asked = (project / "pip.log").read_text()
    assert (
        asked
        == f"-m pip install --quiet --disable-pip-version-check --no-compile --editable {ROOT} --editable .[dev]\n"
    )
    (project / ".venv/.ready").unlink()
    run(["make", "BULLWORKS=", "test", "ARGS=--version"], project, environment)
    assert (project / "pip.log").read_text().splitlines()[1].endswith("--no-compile --editable .[dev]")


def test_make_alone_lists_what_there_is(project: Path, environment: dict[str, str]) -> None:
    printed = run(["make"], project, environment)
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("  make ")] == [
        "help",
        "run",
        "test",
        "check",
        "format",
        "upgrade",
        "clean",
    ]


@pytest.fixture
def log(
    project: Path, environment: dict[str, str], redis_url: str, key_prefix: str, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The service of the project, started, and where it logs."""
    given = {**environment, "QUEUE_REDIS_URL": redis_url, "QUEUE_PREFIX": key_prefix, "HTTP_PORT": "0"}
    path = tmp_path / "service.log"
    with path.open("w") as output:
        process = subprocess.Popen([sys.executable, "main.py"], cwd=project, env=given, stdout=output, stderr=output)
    end_with_tests(process)
    yield process, path
    if process.poll() is None:
        process.kill()
        process.wait(timeout=20)


@pytest.mark.timeout(LIMIT_S + 50)
def test_it_starts_answers_and_ends_when_it_is_told_to(log: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, path = log

    def url() -> str | None:
        lines = [line for line in path.read_text().splitlines() if "serving http" in line]
        return lines[0].split("serving ")[1].split(": /")[0] if lines else None

    base = wait_until(url, within_s=LIMIT_S, what=f"the service: {path.read_text()}")
    with httpx.Client(base_url=str(base), timeout=10) as browser:
        assert browser.get("/health/ready").text == "ok\n"
        assert browser.get("/admin/queues/-/").status_code == 200
        assert [queue["name"] for queue in browser.get("/admin/queues/api/queues").json()["queues"]] == ["greetings"]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0, path.read_text()
