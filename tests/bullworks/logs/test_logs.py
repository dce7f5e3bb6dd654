"""Logs: one record a line, facts for machines, and nothing that a client could forge."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bullworks.escaping import escape
from bullworks.logs import (
    FACT_CHARS,
    JsonFormatter,
    LogSettings,
    StandardErrorHandler,
    TextFormatter,
    configure,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def record_of(message: str, *args: Any, extra: dict[str, Any] | None = None) -> logging.LogRecord:
    return logging.getLogger("app.test").makeRecord(
        "app.test", logging.INFO, __file__, 1, message, args, None, extra=extra
    )


def test_a_json_line_holds_the_message_and_the_facts() -> None:
    record = record_of(
        "job %s completed",
        "7",
        extra={"queue": "email", "job_id": "7", "attempt": 2, "duration_ms": 1.5, "held": None},
    )
    entry = json.loads(JsonFormatter().format(record))
    assert list(entry)[:4] == ["time", "level", "logger", "message"]
    assert entry["message"] == "job 7 completed"
    assert (entry["queue"], entry["job_id"], entry["attempt"]) == ("email", "7", 2)
    assert (entry["duration_ms"], entry["held"]) == (1.5, None)
    assert entry["time"].endswith("+00:00")


def test_a_text_line_holds_the_message_and_the_facts() -> None:
    line = TextFormatter(colour=False).format(record_of("job %s done", "7", extra={"queue": "email", "attempt": 2}))
    assert line.endswith("INFO    app.test  job 7 done  queue=email attempt=2")


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\x00b", r"a\r\x00b"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("\u2028\u202e\u200b", r"\u2028\u202e\u200b"),
        ("\ud800", r"\ud800"),
        ("naïve ✓ 日本", "naïve ✓ 日本"),
    ],
)
def test_escape_leaves_letters_and_writes_the_rest_out(raw: str, escaped: str) -> None:
    assert escape(raw) == escaped


def test_neither_message_nor_fact_can_forge_a_line_or_drive_the_terminal() -> None:
    record = record_of("job %s failed", "1\n12:00 INFO forged", extra={"queue": "a\x1b[31m\nb"})
    text = TextFormatter(colour=False).format(record)
    assert "\n" not in text
    assert "\x1b" not in text
    assert "\n" not in JsonFormatter().format(record)


def test_an_exceptions_text_cannot_pass_for_a_line_of_the_log() -> None:
    record = record_of("job failed")
    try:
        raise ValueError("first\n12:00:00.000 INFO forged\x1b[2J")
    except ValueError:
        record.exc_info = sys.exc_info()
    first, *rest = TextFormatter(colour=False).format(record).split("\n")
    assert first.endswith("job failed")
    assert all(line.startswith("    | ") for line in rest)
    assert not any("\x1b" in line for line in rest)
    assert json.loads(JsonFormatter().format(record))["exception"].startswith("Traceback")


def test_a_fact_that_is_no_number_becomes_text_of_bounded_length() -> None:
    entry = json.loads(JsonFormatter().format(record_of("x", extra={"thing": object, "long": "y" * 10_000})))
    assert entry["thing"] == "<class 'object'>"
    assert len(entry["long"]) == FACT_CHARS


def test_a_fact_cannot_replace_the_message() -> None:
    entry = json.loads(JsonFormatter().format(record_of("true", extra={"level": "x", "time": "y", "logger": "z"})))
    assert (entry["message"], entry["level"], entry["logger"]) == ("true", "INFO", "app.test")


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Terminal, False),
        ("json", Terminal, True),
        ("text", io.StringIO, False),
    ],
)
def test_auto_is_text_on_a_terminal_and_json_elsewhere(
    monkeypatch: pytest.MonkeyPatch, log_format: Any, stream: type[io.StringIO], is_json: bool
) -> None:
    output = stream()
    monkeypatch.setattr(sys, "stderr", output)
    configure(LogSettings(log_format=log_format, log_level="INFO"))
    logging.getLogger("app.test").info("hello")
    assert output.getvalue().startswith("{") is is_json
    assert "hello" in output.getvalue()


def test_colour_is_for_terminals_and_gives_way_to_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Terminal()
    monkeypatch.setattr(sys, "stderr", output)
    monkeypatch.delenv("NO_COLOR", raising=False)
    configure(LogSettings(log_format="text", log_level="INFO"))
    logging.getLogger("app.test").error("red")
    assert "\x1b[31m" in output.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    configure(LogSettings(log_format="text", log_level="INFO"))
    output.truncate(0)
    logging.getLogger("app.test").error("plain")
    assert "\x1b" not in output.getvalue()


def test_configuring_again_replaces_and_leaves_other_handlers_alone(root_logger: logging.Logger) -> None:
    other = logging.NullHandler()
    root_logger.addHandler(other)
    configure(LogSettings(log_format="json", log_level="DEBUG"))
    configure(LogSettings(log_format="json", log_level="ERROR"))
    assert sum(isinstance(handler, StandardErrorHandler) for handler in root_logger.handlers) == 1
    assert other in root_logger.handlers
    assert root_logger.level == logging.ERROR


def test_a_record_that_cannot_be_formatted_does_not_harm_the_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert StandardErrorHandler().handle(record_of("%d", "no number"))
    assert "Logging error" in capsys.readouterr().err


def test_of_several_processes_each_line_says_which() -> None:
    record = record_of("line")
    record.exc_info = (ValueError, ValueError("two\nlines"), None)
    text = TextFormatter(colour=False, process=2).format(record)
    assert all(line.startswith("[2] ") for line in text.split("\n"))
    assert json.loads(JsonFormatter(process=2).format(record))["process"] == 2
    assert "process" not in json.loads(JsonFormatter().format(record))
