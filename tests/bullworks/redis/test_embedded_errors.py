"""What cannot work is said at once, with the folder and what to do."""

from __future__ import annotations

import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bullworks.redis import EmbeddedServerError
from bullworks.redis.embedded import EmbeddedServer, launch
from bullworks.redis.embedded.binary import bundled_binary, find_binary
from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.locks import FileLock
from tests.bullworks.redis.embedded_user import ROOT
from tests.bullworks.waiting import BUSY_S

pytestmark = pytest.mark.process

NOBODY = 65_534


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(EmbeddedServerError, match="cannot be made") as caught:
        EmbeddedServer.attach(tmp_path / "data")
    assert caught.value.data_dir == str(tmp_path / "data")
    assert "another data folder" in caught.value.hint


def test_a_folder_of_somebody_else_is_said(tmp_path: Path) -> None:
    """As nobody where the tests run as root, who may do everything; else in a folder without rights."""
    locked = tmp_path / "locked"
    locked.mkdir()
    if os.geteuid() != 0:
        locked.chmod(0o500)
        for path, reason in ((locked, "may not read and write"), (locked / "sub", "cannot be made")):
            with pytest.raises(EmbeddedServerError, match=reason):
                EmbeddedServer.attach(path)
        return
    locked.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()).resolve():
            break
        folder.chmod(0o755)
    program = (
        "import os, sys; from bullworks.redis import EmbeddedServerError; "
        "from bullworks.redis.embedded import EmbeddedServer; "
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "for path in sys.argv[1:]:\n"
        "    try: EmbeddedServer.attach(path)\n"
        "    except EmbeddedServerError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, str(locked), str(locked / "sub")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=True).stdout
    assert "may not read and write" in said
    assert "cannot be made (Permission denied)" in said


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "users.lock").mkdir()
    with pytest.raises(EmbeddedServerError, match=r"users\.lock"):
        EmbeddedServer.attach(tmp_path)
    (tmp_path / "users.lock").rmdir()
    (tmp_path / "start.lock").mkdir()
    with pytest.raises(EmbeddedServerError, match=r"start\.lock"):
        EmbeddedServer.attach(tmp_path)
    assert FileLock.try_take(tmp_path / "users.lock") is not None


def test_a_program_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="not a program that can be run"):
        EmbeddedServer.attach(tmp_path, binary=tmp_path / "nothing")


def test_a_program_that_is_no_server_is_said(tmp_path: Path) -> None:
    program = shutil.which("false")
    assert program is not None
    with pytest.raises(EmbeddedServerError, match="ended with code 1"):
        EmbeddedServer.attach(tmp_path, binary=program)


def test_a_program_for_another_machine_is_said(tmp_path: Path) -> None:
    program = tmp_path / "valkey-server"
    program.write_bytes(b"\x7fELF of something else entirely")
    program.chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="cannot be run"):
        EmbeddedServer.attach(tmp_path / "data", binary=program)


def test_a_server_that_refuses_its_data_is_quoted(tmp_path: Path) -> None:
    data = tmp_path / "appendonlydir"
    data.mkdir()
    (data / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(EmbeddedServerError, match=r"ended with code 1: .*"):
        EmbeddedServer.attach(tmp_path)


def test_with_no_server_installed_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerError, match="no Redis or Valkey server is installed") as caught:
        EmbeddedServer.attach(tmp_path / "data")
    assert "pip install 'bullworks[embedded]'" in caught.value.hint
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_wheel_without_a_program_for_this_machine_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    assert bundled_binary() is None


def test_programs_on_path_go_before_the_wheel_and_valkey_before_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary(tmp_path) == bundled_binary()
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert find_binary(tmp_path) == tmp_path / name


def test_on_windows_the_error_asks_for_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.redis.embedded.server.IS_WINDOWS", True)
    with pytest.raises(EmbeddedServerError, match="does not run on Windows") as caught:
        EmbeddedServer.attach(tmp_path)
    assert "URL" in caught.value.hint


def test_waiting_for_a_folder_that_is_being_closed_has_a_deadline(tmp_path: Path) -> None:
    """A guardian that stops its server holds the users' lock meanwhile."""
    lock = FileLock.try_take(tmp_path / "users.lock")
    assert lock is not None
    started_s = time.monotonic()
    with pytest.raises(EmbeddedServerError, match="no server answered in time"):
        EmbeddedServer.attach(tmp_path, timeout_ms=200)
    assert time.monotonic() - started_s < 0.2 + BUSY_S
    lock.release()
    with pytest.raises(ValueError, match="released"):
        assert lock.fd


def test_waiting_for_another_guardians_server_has_a_deadline(tmp_path: Path) -> None:
    lock = FileLock.try_take(tmp_path / "guardian.lock")
    assert lock is not None
    with pytest.raises(EmbeddedServerError, match="no server answered in time"):
        EmbeddedServer.attach(tmp_path, timeout_ms=200)
    lock.release()


def test_a_guardian_that_says_nothing_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder.prepare(tmp_path)
    monkeypatch.setattr(launch, "_environment", lambda: {"PYTHONPATH": "/nowhere"})
    with pytest.raises(EmbeddedServerError, match="ended at once"):
        launch.launch_guardian(folder, Path("/bin/true"), time.monotonic() + 10)
    # On a loaded machine it may have ended before it is looked at for the first time.
    with pytest.raises(EmbeddedServerError, match=r"did not become ready in time|ended at once"):
        launch.launch_guardian(folder, Path("/bin/true"), time.monotonic())


def test_the_guardian_started_by_hand_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    command = [sys.executable, "-m", "bullworks.redis.embedded", str(tmp_path / "data")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)
    assert ended.returncode == 1
    assert "cannot be made" in ended.stderr
    assert "Traceback" not in ended.stderr
