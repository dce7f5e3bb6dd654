"""`main.py serve --reload`: a process that is started again when the project's code changes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from watchfiles import Change

from bullworks.cli.development import reloader
from bullworks.cli.development.reloader import CodeFilter, Reloader
from bullworks.cli.life_line import end_with_parent
from tests.bullworks.cli.conftest import Command
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.process

# A service in 20 ms: it says when it begins and when it is asked to end.
SERVICE = """
import signal, sys
def say(text):
    with open({log!r}, "a") as log:
        log.write(text + "\\n")
def end(*_):
    say("ends")
    {at_the_end}
signal.signal(signal.SIGTERM, end)
say("begins {version}")
signal.pause()
signal.pause()
"""


class Project:
    """A folder with the code of a service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        self.log.write_text("")

    def write(self, version: str, *, at_the_end: str = "sys.exit(0)") -> None:
        text = SERVICE.format(log=str(self.log), version=version, at_the_end=at_the_end)
        (self.folder / "service.py").write_text(text)

    @property
    def said(self) -> list[str]:
        return self.log.read_text().splitlines()

    async def until(self, *lines: str) -> None:
        await eventually(lambda: self.said == list(lines), what=f"{lines} in {self.said}")

    @asynccontextmanager
    async def reloading(self) -> AsyncIterator[None]:
        """A reloader of it, which a signal ends."""
        running = asyncio.create_task(
            Reloader([sys.executable, "-S", "-E", str(self.folder / "service.py")], self.folder).run()
        )
        yield
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(running, 20)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


async def test_a_change_ends_the_process_in_order_and_starts_the_new_code(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.write("one")
    async with project.reloading():
        await project.until("begins one")
        project.write("two")
        await project.until("begins one", "ends", "begins two")
        (project.folder / "service.py").write_text("import no_such_module")
        await eventually(lambda: "the service ended, exit code 1; waiting for a change" in caplog.text)
        (project.folder / "notes.txt").write_text("not code")
        project.write("three")
        await project.until("begins one", "ends", "begins two", "ends", "begins three")
        (project.folder / ".env").write_text("LOG_LEVEL=debug")
        await project.until("begins one", "ends", "begins two", "ends", "begins three", "ends", "begins three")
    assert project.said[-1] == "ends"


async def test_a_process_that_does_not_end_is_asked_twice_and_then_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reloader, "JOBS_MAY_RUN_S", 0.2)
    monkeypatch.setattr(reloader, "MARGIN_S", 0.2)
    project.write("stuck", at_the_end="signal.pause()")
    async with project.reloading():
        await project.until("begins stuck")
        project.write("new")
        await project.until("begins stuck", "ends", "ends", "begins new")
        assert "was killed; its jobs stall and are run again" in caplog.text


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("app/users/service.py", True),
        (".env", True),
        (".env.example", False),
        ("app/page.html", False),
        (".venv/lib/x.py", False),
        ("app/__pycache__/x.py", False),
        ("node_modules/gyp/x.py", False),
    ],
)
def test_what_counts_as_a_change(path: str, counts: bool) -> None:
    assert CodeFilter()(Change.modified, f"/project/{path}") is counts


async def test_the_process_ends_with_the_reloader_however_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    kill: Callable[[int, int], None] = lambda _pid, number: sent.append(number)  # noqa: E731
    monkeypatch.setattr(os, "kill", kill)
    reading, writing = os.pipe()
    end_with_parent(reading)
    os.close(writing)
    await eventually(lambda: sent == [signal.SIGTERM])
    os.close(reading)


def test_without_its_extra_it_says_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.extras.find_spec", lambda name: None if name == "watchfiles" else find_spec(name))
    ran = command("serve", "--reload")
    assert (ran.code, ran.err) == (
        1,
        "error: serve --reload needs watchfiles, which is not installed: pip install 'bullworks[reload]'\n",
    )
