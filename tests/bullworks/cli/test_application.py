"""The command line as a whole: help, errors in words, exit codes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bullworks import __version__
from bullworks.cli import main
from bullworks.cli.commands import CommandError
from tests.bullworks.cli.conftest import Command
from tests.bullworks.cli.service import AppModule


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["greet", "worker", "redis-url", "queue", "job", "Exit codes"]),
        (("queue",), ["add", "list", "counts", "pause", "resume", "clean", "drain", "retry"]),
        (("job",), ["show"]),
        (("greet",), ["--name", "Say hello"]),
        (("queue", "add"), ["--attempts", "--backoff", "--delay", "--priority", "Example"]),
        (("queue", "clean"), ["--grace", "completed", "Example"]),
    ],
)
def test_help_says_what_there_is(command: Command, arguments: tuple[str, ...], words: list[str]) -> None:
    ran = command(*arguments, "--help")
    assert ran.code == 0
    assert [word for word in words if word not in ran.out] == []


def test_the_version_is_shown(command: Command) -> None:
    assert command("--version").out == f"Bullworks {__version__}\n"


@pytest.mark.parametrize("arguments", [("quueue",), ("queue", "lst"), ("greet", "--mane", "you")])
def test_a_wrong_command_line_is_exit_code_2(command: Command, arguments: tuple[str, ...]) -> None:
    ran = command(*arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_wrong_settings_are_listed_and_exit_code_2(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("ENABLED_WORKERS", ",")
    for arguments in ((), ("worker",)):
        ran = command(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: the configuration has ")
        assert "LOG_LEVEL='loud'" in ran.err
        assert "ENABLED_WORKERS=','" in ran.err


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("redis://:hunter2@127.0.0.1:{closed}/0", 1, "127.0.0.1:{closed}"),
        ("redis://user:hunter2@127.0.0.1:{open}/0", 1, "127.0.0.1:{open}"),
        ("redis://:hunter2@127.0.0.1:port/0", 2, "port"),
        ("http://:hunter2@127.0.0.1/0", 2, "redis://"),
    ],
)
@pytest.mark.parametrize("arguments", [("queue", "list"), ("redis-url",), ()])
def test_a_redis_that_cannot_be_used_is_told_without_the_password(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    arguments: tuple[str, ...],
    url: str,
    code: int,
    said: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    ports = {"closed": closed, "open": redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]}
    monkeypatch.setenv("QUEUE_REDIS_URL", url.format(**ports))
    monkeypatch.setenv("QUEUE_CONNECT_TIMEOUT_MS", "2000")
    ran = command(*arguments)
    assert ran.code == code
    assert said.format(**ports) in ran.err
    assert "hunter2" not in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_worker_is_an_error_that_lists_the_known_ones(command: Command) -> None:
    ran = command("worker", "emial")
    assert ran.code in (1, 2)
    assert "emial" in ran.err
    assert "email" in ran.err.replace("emial", "")
    assert "Traceback" not in ran.err


def test_production_needs_a_redis_url(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.delenv("QUEUE_REDIS_URL")
    ran = command()
    assert ran.code == 2
    assert "QUEUE_REDIS_URL is unset" in ran.err


def test_debug_shows_the_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="there is no queue"):
        main(AppModule, ["--debug", "queue", "counts", "none"])


def test_a_feature_s_command_is_run_by_its_name(command: Command) -> None:
    ran = command("greet", "--name", "Ada")
    assert (ran.code, ran.out) == (0, "Hello, Ada!\n")


def test_a_root_module_that_cannot_be_imported_is_told_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where a feature was deleted and its import was not: --help still answers, the start says what to mend."""
    (tmp_path / "torn_service.py").write_text("import json\n\nfrom torn_features.email import EmailModule\n")
    monkeypatch.syspath_prepend(tmp_path)
    for arguments, code, stream in ((["--help"], 0, "out"), ([], 1, "err"), (["modules"], 1, "err")):
        with pytest.raises(SystemExit) as ended:
            main("torn_service:AppModule", arguments)
        said = capsys.readouterr()
        assert ended.value.code == code
        assert f"{tmp_path / 'torn_service.py'}:3: there is no module 'torn_features'" in said.err
        assert "Traceback" not in said.err
        assert stream == "err" or "worker" in said.out


def test_a_root_module_of_another_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main("tests.bullworks.cli.service:NoModule", [])
    assert "tests.bullworks.cli.service has no NoModule" in capsys.readouterr().err
