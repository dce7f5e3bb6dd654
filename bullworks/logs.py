"""Structured logs: a readable line on a terminal, a JSON object a line elsewhere.

A log call gives its facts twice: in the message for a person, and in `extra` (`queue`, `job_id`, `attempt`,
`duration_ms`, ...) for a machine. Whatever a client could put into a log, a job id or an error's text, has
its control characters escaped: it can neither forge a line nor drive the terminal. Job data is never logged.
"""

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Annotated, Any, Literal

from pydantic import Field

from bullworks.escaping import escape
from bullworks.settings import LowerCase, Settings, UpperCase

# What every record has; the rest of a record's attributes are the facts of `extra`.
RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
FACT_CHARS = 500  # a longer fact is cut: a log line is not a place for data
LEVEL_COLOURS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "1;31", "DEBUG": "2"}

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogSettings(Settings):
    """The level and format of logs."""

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], UpperCase] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["auto", "text", "json"], LowerCase] = Field(
        default="auto", description="text, json, or auto: text on a terminal, JSON lines otherwise"
    )


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Extract the `extra` facts of a log call: numbers, booleans and None unchanged, the rest as bounded text."""
    return {
        name: value if value is None or isinstance(value, bool | int | float) else str(value)[:FACT_CHARS]
        for name, value in vars(record).items()
        if name not in RECORD_ATTRIBUTES
    }


class TextFormatter(logging.Formatter):
    """Formats lines such as `12:30:01.123 INFO    bullworks.bullmq.worker  job 7 completed  queue=email job_id=7`.

    Of several processes that share a terminal each begins its lines, and those of tracebacks, with its number: `[2] `.
    """

    def __init__(self, *, colour: bool, process: int | None = None) -> None:
        super().__init__()
        self.colour = colour
        self._begin = "" if process is None else f"[{process}] "

    def format(self, record: logging.LogRecord) -> str:
        """Format a record on one line; a traceback follows, indented, so that it cannot pass for a record."""
        at = datetime.fromtimestamp(record.created).astimezone().isoformat("T", "milliseconds")[11:23]
        level = self._paint(f"{record.levelname:<7}", LEVEL_COLOURS.get(record.levelname))
        line = f"{self._begin}{at} {level} {escape(record.name)}  {escape(record.getMessage())}"
        facts = " ".join(f"{escape(name)}={escape(str(fact))}" for name, fact in facts_of(record).items())
        if facts:
            line = f"{line}  {self._paint(facts, '2')}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  # logging's own name
        """Format the traceback, escaped line by line."""
        lines = "".join(traceback.format_exception(*ei)).rstrip("\n").split("\n")
        return "\n".join(f"{self._begin}    | {escape(line)}" for line in lines)

    def _paint(self, text: str, colour: str | None) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour else text


class JsonFormatter(logging.Formatter):
    """Formats one JSON object a line: `time`, `level`, `logger`, `message`, the facts, `process` and `exception`."""

    def __init__(self, *, process: int | None = None) -> None:
        super().__init__()
        self._process = {} if process is None else {"process": process}

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line of ASCII JSON."""
        entry = facts_of(record) | {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._process,
        }
        if record.exc_info:
            entry["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        first = ("time", "level", "logger", "message")
        return json.dumps({name: entry.pop(name) for name in first} | entry)


class StandardErrorHandler(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment, so that a live progress bar keeps below the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a failure is reported by logging itself, never raised to the caller."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  # whatever a record holds must not harm the code that logged it
            self.handleError(record)


def configure(settings: LogSettings, process: int | None = None) -> None:
    """Configure this process's logging to standard error; a further call replaces the configuration.

    Args:
        process: which of several processes that log to one place this is.
    """
    on_terminal = sys.stderr.isatty()
    if settings.log_format == "json" or (settings.log_format == "auto" and not on_terminal):
        formatter: logging.Formatter = JsonFormatter(process=process)
    else:
        formatter = TextFormatter(colour=on_terminal and "NO_COLOR" not in os.environ, process=process)
    handler = StandardErrorHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, StandardErrorHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
