"""The command line as a whole: help, errors in words, exit codes."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from typer.main import get_group

from bullworks import __version__
from bullworks.cli import main
from bullworks.cli.commands import CommandError
from bullworks.cli.framework_commands import FRAMEWORK_COMMANDS, add_framework_commands
from bullworks.cli.root_command import root_command
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


@pytest.mark.parametrize("name", FRAMEWORK_COMMANDS)
def test_the_list_says_of_each_command_what_its_own_help_begins_with(name: str) -> None:
    cli = root_command()
    add_framework_commands(cli, typed=name)
    own = get_group(cli).commands[name]
    assert (own.help or "").partition("\n\n")[0].replace("\n", " ") == FRAMEWORK_COMMANDS[name].summary


def test_help_remembers_the_service_s_own_commands_until_a_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "service" / "small_service.py"
    source.parent.mkdir()
    monkeypatch.syspath_prepend(source.parent)

    def write(name: str) -> None:
        sys.modules.pop("small_service", None)
        source.write_text(
            "from bullworks.core import command, module\n\n\ndef greet():\n    'Say hello.'\n\n\n"
            f"@module(providers=[command(greet, name={name!r})])\nclass AppModule:\n    'A service.'\n"
        )

    def listed() -> str:
        with pytest.raises(SystemExit, match=r"^0$"):
            main("small_service:AppModule", ["--help"])
        return capsys.readouterr().out

    write("greet")
    first = listed()
    assert ("greet" in first, "Say hello." in first) == (True, True)
    with monkeypatch.context() as patch:
        patch.setattr("bullworks.cli.overview.import_object", lambda place: pytest.fail("the service was imported"))
        assert listed() == first
    write("greet-all")
    assert "greet-all" in listed()


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
