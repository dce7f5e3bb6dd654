"""The command line: `python main.py ...`, and `bullworks ...` in a project's folder.

Importing this is quick, and `main` handles signals before it imports the rest: an orchestrator may stop a process in
its first half second. What a command of a service needs is in `bullworks.cli.commands`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from bullworks.cli.early_signals import EarlySignals
from bullworks.extras import MissingExtraError

DEFAULT_APP = "app.app_module:AppModule"

# Commands that end in order when they are asked to stop; of the others it is a failure.
_SERVING = ("worker", "board", "serve")
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
        with EarlySignals(is_serving=_is_serving(arguments)).handled():
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


def _is_serving(arguments: Sequence[str]) -> bool:
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    return word is None or word in _SERVING


__all__ = ["DEFAULT_APP", "main"]
