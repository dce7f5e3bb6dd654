"""Bull Board's page: fetched by its hash, served below any path; without it our own pages stand there."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bullworks.board import board_app
from bullworks.board.app import BoardApp
from bullworks.board.board import Board
from bullworks.board.options import BoardOptions
from bullworks.board.queues import BoardQueues
from bullworks.board.ui import BoardUi, fetch
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """Makes a tarball of these files, which from then on is the genuine one."""

    def make(files: dict[str, bytes], *, links: dict[str, str] | None = None) -> Path:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            for name, target in (links or {}).items():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, target
                archive.addfile(member)
        path = tmp_path / "ui.tgz"
        path.write_bytes(buffer.getvalue())
        digest = hashlib.sha512(buffer.getvalue()).digest()
        monkeypatch.setattr(fetch, "INTEGRITY", f"sha512-{base64.b64encode(digest).decode()}")
        return path

    return make


GENUINE = {
    "package/dist/index.ejs": b"<%= title %>",
    "package/dist/static/js/main.0123456789.js": b"1",
    "package/x": b"no",
}


@pytest.fixture(autouse=True)
def no_npm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache of this machine's, and no npm, for the tests that fetch."""
    if "pack" in request.fixturenames:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.delenv(fetch.TARBALL_VARIABLE, raising=False)


def test_a_named_tarball_is_unpacked_with_its_licence(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fetch.TARBALL_VARIABLE, str(pack(GENUINE)))
    folder = tmp_path / "dist"
    assert not fetch.is_fetched(folder)
    assert fetch.fetch(folder) == folder
    assert fetch.is_fetched(folder)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == ["INTEGRITY", "LICENSE", "index.ejs", "static/js/main.0123456789.js"]
    assert "Vitor Capretz" in (folder / "LICENSE").read_text()
    monkeypatch.delenv(fetch.TARBALL_VARIABLE)
    assert fetch.fetch(folder) == folder  # nothing more is needed


def test_another_hash_is_refused_wherever_it_comes_from(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = pack(GENUINE)
    forged.write_bytes(forged.read_bytes() + b"\0")
    monkeypatch.setenv(fetch.TARBALL_VARIABLE, str(forged))
    with pytest.raises(fetch.UiForgedError, match="its hash is another"):
        fetch.fetch(tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_the_cache_is_used_if_genuine_and_filled_by_npm(pack: Pack, tmp_path: Path) -> None:
    genuine = pack(GENUINE)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    # what `npm pack NAME --pack-destination FOLDER ...` does
    npm.write_text(f'#!/bin/sh\n[ "$1 $2" = "pack @bull-board/ui@9.10.2" ] && exec /bin/cp {genuine} "$4/ui.tgz"\n')
    npm.chmod(0o755)
    fetch.fetch(tmp_path / "first")
    (cached,) = (tmp_path / "cache" / "bullworks").iterdir()
    npm.unlink()
    fetch.fetch(tmp_path / "second")
    assert fetch.is_fetched(tmp_path / "second")
    cached.write_bytes(b"damaged")
    with pytest.raises(fetch.NpmMissingError):
        fetch.fetch(tmp_path / "third")


def test_an_npm_that_fails_is_told_with_what_it_said(pack: Pack, tmp_path: Path) -> None:
    pack(GENUINE)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'E404 not in this mirror' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(fetch.UiFetchError, match="E404 not in this mirror"):
        fetch.fetch(tmp_path / "dist")


@pytest.mark.parametrize("name", ["package/dist/../../outside", "package/dist/../../../outside"])
def test_a_tarball_writes_nowhere_else(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = pack({**GENUINE, name: b"!"}, links={"package/dist/static/link": "/etc/passwd"})
    monkeypatch.setenv(fetch.TARBALL_VARIABLE, str(path))
    folder = tmp_path / "deep" / "dist"
    try:
        fetch.fetch(folder)
    except tarfile.FilterError:
        assert not folder.exists()
    assert not list(tmp_path.rglob("outside"))
    assert not (folder / "static" / "link").exists()


@pytest.mark.process
def test_the_command_says_how_to_get_it_where_npm_is_missing(tmp_path: Path) -> None:
    script = Path(fetch.__file__)
    copy = tmp_path / "ui" / "fetch.py"
    copy.parent.mkdir()
    copy.write_text(script.read_text())
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, str(copy)], env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert ran.returncode == 0
    assert "npm is not on PATH" in ran.stderr
    assert fetch.TARBALL_VARIABLE in ran.stderr


def test_the_page_asks_for_nothing_elsewhere(page: BoardUi) -> None:
    icons = {"default": "static/images/logo.svg", "alternative": "static/favicon-32x32.png"}
    html = page.html("/admin/queues/", {"boardTitle": "Mine & yours", "favIcon": icons})
    assert '<base href="/admin/queues/" />' in html
    assert "<title>Mine &amp; yours</title>" in html
    assert "https://" not in html
    assert "<%" not in html
    assert set(icons.values()) <= {f"static/{name}" for name in page.files}


@pytest.mark.parametrize("path", ["", "metrics-history", "job-schedulers", "queue/email", "queue/email/7"])
async def test_the_page_is_served_at_all_its_addresses(queue: Queue[Any], page: BoardUi, path: str) -> None:
    answer = await BoardClient(board_app(queues=[queue], title="Post office")).get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>Post office</title>" in answer.text
    assert '"hasHistoryProvider": true' in answer.text


@pytest.mark.parametrize("path", ["nowhere", "queue", "queue/a/b/c", "metrics-history/x", "static", "API/queues"])
async def test_other_addresses_are_none(queue: Queue[Any], path: str) -> None:
    assert (await BoardClient(board_app(queues=[queue])).get(path)).status_code == 404


async def test_without_it_our_own_pages_serve_the_address_and_say_how_to_get_it(queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    made = BoardClient(BoardApp(Board(BoardQueues([queue]), BoardOptions(), None)))
    answer = await made.get("")
    assert answer.status_code == 200
    assert "email" in answer.text
    assert "bullworks/board/ui/fetch.py" in answer.text
    assert "npm" in answer.text
    elsewhere = await made.get("queue/email/7")
    assert (elsewhere.status_code, elsewhere.headers["Location"]) == (307, "/admin/queues/")
    assert (await made.get("static/js/main.js")).status_code == 404
    assert (await made.get("api/queues")).status_code == 200


@pytest.mark.process
@pytest.mark.timeout(60)
@pytest.mark.parametrize("required", [True, False])
def test_a_wheel_is_built_without_npm_unless_the_page_is_required(tmp_path: Path, *, required: bool) -> None:
    root = Path(__file__).resolve().parents[3]
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "CHANGELOG.md", "LICENSE"):
        (copy / name).write_text((root / name).read_text())
    for name in ("bullworks/__init__.py", "bullworks/board/ui/fetch.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text((root / name).read_text())
    environment = {**os.environ, "PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop(fetch.TARBALL_VARIABLE, None)
    if required:
        environment["BOARD_UI"] = "required"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "out")]
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert (ran.returncode == 0) is not required, ran.stderr
    assert "npm is not on PATH" in ran.stdout + ran.stderr
    assert len(list((tmp_path / "out").glob("*.whl"))) == (0 if required else 1)
