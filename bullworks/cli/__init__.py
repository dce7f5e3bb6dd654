"""The command line: `python main.py ...`, and `bullworks ...` in a project's folder.

Importing this is quick, and `main` handles signals before it imports the rest: an orchestrator may stop a process in
its first half second. What a command of a service needs is in `bullworks.cli.commands`.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from bullworks.extras import MissingExtraError

DEFAULT_APP = "app.app_module:AppModule"

# Commands that end in order when they are asked to stop; of the others it is a failure.
_SERVING = ("worker", "board")
_INTERRUPTED = 130


def main(app: str | type[Any] = DEFAULT_APP, arguments: Sequence[str] | None = None) -> None:
    """Run the command line of a service and end the process.

    Args:
        app: its root module, as in `app.app_module:AppModule`, imported when it is needed; or the class itself.
        arguments: without the program's name; those of this process unless given.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _open_standard_streams()
        with _ending_on_signals(arguments):
            try:
                from bullworks.cli.application import run_command_line  # takes most of a second
            except MissingExtraError as error:
                sys.exit(f"error: {error}")
            run_command_line(app, arguments)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _open_standard_streams() -> None:
    """Descriptors 0 to 2 that are closed become the null device: else a socket or a pipe would get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free


@contextmanager
def _ending_on_signals(arguments: Sequence[str]) -> Iterator[None]:
    """SIGTERM and SIGHUP end the process while nothing has started yet, also as PID 1, which ignores them otherwise."""
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    is_serving = word is None or word in _SERVING

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(0 if is_serving else 128 + number)

    numbers = [number for number in _endings() if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _endings() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []  # no other thread may set handlers
    return [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


__all__ = ["DEFAULT_APP", "main"]
