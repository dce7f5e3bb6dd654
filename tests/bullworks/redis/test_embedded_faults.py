"""Whatever is killed: no orphan, never two servers on one folder, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from bullworks.redis import EmbeddedServerError
from bullworks.redis.embedded import probe, process
from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.process import ServerProcess
from bullworks.redis.embedded.state import HOST, read_state
from tests.bullworks.redis.conftest import EmbeddedFolder, get, put, run_id, thaw
from tests.bullworks.redis.embedded_user import UserProcess
from tests.bullworks.servers import RedisServer, is_alive, kill_by_pid
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process


def test_a_killed_user_leaves_no_orphan(folder: EmbeddedFolder) -> None:
    with UserProcess(folder.path, folder.binary) as user:
        put(user.url, "a", "kept")
        user.kill()
    folder.wait_until_stopped()
    assert not folder.has_state
    with folder.attach() as server:
        assert get(server.url, "a") == "kept"


def test_the_next_user_gives_a_server_whose_guardian_was_killed_a_new_one(folder: EmbeddedFolder) -> None:
    with folder.attach() as first:
        put(first.url, "a", "kept")
        old_run, old_guardian = run_id(first.url), folder.guardian_pid
        kill_by_pid(old_guardian)
        with folder.attach() as second:
            assert second.url == first.url
            assert run_id(second.url) == old_run
            assert folder.guardian_pid != old_guardian
            assert folder.server_pids() == [folder.server_pid]
    folder.wait_until_stopped()
    assert not folder.has_state


def test_a_user_that_closes_notices_that_the_guardian_was_killed(folder: EmbeddedFolder) -> None:
    """Otherwise the server would run for ever: nobody would be left to stop it."""
    server = folder.attach()
    kill_by_pid(folder.guardian_pid)
    server.close()
    folder.wait_until_stopped()
    assert not folder.has_state


def test_an_orphan_of_killed_users_and_guardian_is_found_by_the_next_user(folder: EmbeddedFolder) -> None:
    with UserProcess(folder.path, folder.binary) as user:
        put(user.url, "a", "kept")
        old_run = run_id(user.url)
        kill_by_pid(folder.guardian_pid)
        user.kill()
    with folder.attach() as server:
        assert get(server.url, "a") == "kept"
        assert run_id(server.url) == old_run
    folder.wait_until_stopped()


def test_a_killed_server_is_started_again_where_its_users_look_for_it(each_folder: EmbeddedFolder) -> None:
    with each_folder.attach() as server:
        put(server.url, "a", "kept")
        old_pid = each_folder.server_pid
        kill_by_pid(old_pid)
        wait_until(lambda: each_folder.state["run_id"] and each_folder.server_pid != old_pid)
        assert get(server.url, "a") == "kept"
        with each_folder.attach() as second:
            assert second.url == server.url


def test_a_killed_server_that_was_adopted_is_started_again_too(folder: EmbeddedFolder) -> None:
    with folder.attach() as first:
        kill_by_pid(folder.guardian_pid)
        with folder.attach() as second:
            put(first.url, "a", "kept")
            old_pid = folder.server_pid
            kill_by_pid(old_pid)
            wait_until(lambda: folder.state["run_id"] and folder.server_pid != old_pid)
            assert get(second.url, "a") == "kept"


def test_users_find_the_server_again_after_server_and_guardian_were_killed(folder: EmbeddedFolder) -> None:
    with folder.attach() as first:
        put(first.url, "a", "kept")
        server, guardian = folder.server_pid, folder.guardian_pid
        kill_by_pid(guardian)
        kill_by_pid(server)
        with folder.attach() as second:
            assert second.url == first.url
            assert get(first.url, "a") == "kept"
            assert folder.server_pids() == [folder.server_pid]


def _leave_behind(folder: EmbeddedFolder) -> None:
    """What a power cut leaves: data and a state file, and no process."""
    with folder.attach() as user:
        put(user.url, "a", "kept")
        server = folder.server_pid
        kill_by_pid(folder.guardian_pid)
        kill_by_pid(server)
    assert folder.has_state


def test_pid_and_port_that_passed_to_others_are_not_mistaken_for_the_server(
    folder: EmbeddedFolder, tmp_path: Path
) -> None:
    """The port now belongs to another Redis with the same password, the pid to this very process."""
    _leave_behind(folder)
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    with RedisServer(other_folder, binary=folder.binary, password=folder.state["password"]) as stranger:
        forged = {**folder.state, "pid": os.getpid(), "port": stranger.port, "run_id": run_id(stranger.url)}
        (folder.path / "server.json").write_text(json.dumps(forged))
        with folder.attach() as server:
            assert server.url != stranger.url
            assert get(server.url, "a") == "kept"
        folder.wait_until_stopped()
        assert run_id(stranger.url) == forged["run_id"]


def test_a_damaged_state_file_is_no_obstacle(folder: EmbeddedFolder) -> None:
    folder.path.mkdir(mode=0o700)
    for garbage in ("", "[]", "null", '{"pid": 1}', "\x00", "{"):
        (folder.path / "server.json").write_text(garbage)
        assert read_state(DataFolder(folder.path)) is None
    with folder.attach() as server:
        assert run_id(server.url) == folder.state["run_id"]


def test_a_state_file_that_somebody_removed_comes_back(folder: EmbeddedFolder) -> None:
    with folder.attach() as server:
        (folder.path / "server.json").unlink()
        with folder.attach() as second:
            assert second.url == server.url


def test_a_folder_that_somebody_removed_leaves_no_orphan_and_can_be_made_anew(folder: EmbeddedFolder) -> None:
    with folder.attach():
        old_server, old_guardian = folder.server_pid, folder.guardian_pid
        shutil.rmtree(folder.path)
        with folder.attach() as server:
            wait_until(lambda: not is_alive(old_server) and not is_alive(old_guardian))
            assert get(server.url, "a") is None
            assert folder.server_pids() == [folder.server_pid]


def test_after_a_reboot_a_torn_last_command_in_the_append_only_file_is_cut_off(each_folder: EmbeddedFolder) -> None:
    _leave_behind(each_folder)
    stale = each_folder.state
    increments = sorted((each_folder.path / "appendonlydir").glob("*.incr.aof"))
    with increments[-1].open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\nhal")
    with each_folder.attach() as server:
        assert each_folder.state["run_id"] != stale["run_id"]
        assert get(server.url, "a") == "kept"
        assert get(server.url, "b") is None


def test_a_port_that_somebody_took_is_given_up(folder: EmbeddedFolder) -> None:
    _leave_behind(folder)
    with socket.create_server((HOST, folder.state["port"])) as taken, folder.attach() as server:
        assert folder.state["port"] != taken.getsockname()[1]
        assert get(server.url, "a") == "kept"


def test_a_guardian_killed_while_it_starts_the_server_leaves_one_that_is_found(folder: EmbeddedFolder) -> None:
    """The state file then has no run id yet; the password and the folder tell that it is the one."""
    with folder.attach() as server:
        put(server.url, "a", "kept")
        kill_by_pid(folder.guardian_pid)
        pid = folder.server_pid
        (folder.path / "server.json").write_text(json.dumps({**folder.state, "pid": 0, "run_id": ""}))
        with folder.attach() as second:
            assert second.url == server.url
            assert folder.server_pid == pid


def test_a_server_that_hangs_without_a_guardian_is_named_not_doubled(
    folder: EmbeddedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_TIMEOUT_S", 0.2)
    with folder.attach():
        pid = folder.server_pid
        kill_by_pid(folder.guardian_pid)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(EmbeddedServerError, match=f"process {pid}.*does not answer"):
                ServerProcess.adopt(DataFolder(folder.path), wait_s=0.1)
            assert folder.server_pids() == [pid]
        finally:
            thaw(pid)


def test_a_server_that_hangs_on_stopping_is_killed(folder: EmbeddedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_STOP_S", 0.2)
    data = DataFolder.prepare(folder.path)
    server = ServerProcess.start(data, folder.binary, lambda: False)
    pid = server.state.pid
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not is_alive(pid)
    assert not server.is_running()


def test_a_start_that_nobody_wants_any_more_is_given_up(folder: EmbeddedFolder) -> None:
    data = DataFolder.prepare(folder.path)
    with pytest.raises(EmbeddedServerError, match="did not become ready"):
        ServerProcess.start(data, folder.binary, lambda: True)
    assert folder.server_pids() == []


def test_a_server_that_dies_again_and_again_is_given_up_with_its_users_told_why(
    folder: EmbeddedFolder,
) -> None:
    with folder.attach():
        guardian = folder.guardian_pid
        # Six deaths are enough; one that is killed before it is ready is only started once more.
        for _ in range(12):
            pid = folder.server_pid
            kill_by_pid(pid)
            wait_until(lambda pid=pid: not is_alive(guardian) or (folder.state["run_id"] and folder.server_pid != pid))
            if not is_alive(guardian):
                break
        assert not is_alive(guardian)
        assert "died 5 times" in (folder.path / "server.log").read_text()
        with folder.attach() as again:
            assert run_id(again.url)
