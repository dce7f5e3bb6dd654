"""The command line: `python main.py ...`, and `bullworks ...` in a project's folder.

Importing this is quick, and `main` handles signals before it imports the rest: an orchestrator may stop a process in
its first half second. What a command of a service needs is in `bullworks.cli.commands`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from bullworks import __version__
from bullworks.cli.early_signals import EarlySignals
from bullworks.extras import MissingExtraError, require

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
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    try:
        _open_standard_streams()
        with EarlySignals(is_serving=word is None or word in _SERVING).handled():
            if word is None and "--version" in arguments:
                print(f"Bullworks {__version__}")
                sys.exit(0)
            _run(app, arguments, is_overview=word is None and "--help" in arguments)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _run(app: str | type[Any], arguments: list[str], *, is_overview: bool) -> None:
    """Run the command line; what it needs is imported here, as late as can be."""
    try:
        require("cli", "the command line")
    except MissingExtraError as error:
        sys.exit(f"error: {error}")
    from bullworks.cli.importing import uncollected

    if is_overview:
        from bullworks.cli.overview import overview

        overview(app)(arguments)
    else:
        with uncollected():
            from bullworks.cli.application import run_command_line  # takes a third of a second
        run_command_line(app, arguments)


def _open_standard_streams() -> None:
    """Descriptors 0 to 2 that are closed become the null device: else a socket or a pipe would get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free


__all__ = ["DEFAULT_APP", "main"]
