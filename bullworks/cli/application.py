"""The command line as a whole: `main.py` alone starts the service, with a command it does something else."""

import sys
from collections.abc import Sequence
from typing import Any

import typer

from bullworks.cli.contributed import contributed_commands
from bullworks.cli.failure import EXIT_FAILED, exit_code_of, message_of
from bullworks.cli.framework_commands import FRAMEWORK_COMMANDS, add_framework_commands
from bullworks.cli.program import Program
from bullworks.cli.root_command import OWN_COMMANDS, root_command


def run_command_line(app: str | type[Any], arguments: Sequence[str]) -> None:
    """Run a service's command line and end the process; user errors are printed without a traceback.

    Args:
        app: the root module of the service, as in `app.app_module:AppModule`, or the class itself.
        arguments: without the program's name.
    """
    program = Program(app)
    try:
        with program.enter():
            command_line(program, arguments)(list(arguments))
    except Exception as error:  # the outermost place: what is not reported here is re-raised
        message = message_of(error)
        if message is None or "--debug" in arguments:
            raise
        print(f"error: {message}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    sys.exit(EXIT_FAILED)  # typer itself always exits


def command_line(program: Program, arguments: Sequence[str]) -> typer.Typer:
    """Build the command line: the framework's commands, and the service's own where one of them may be typed.

    Raises:
        CommandError, WiringError: it may be, and the service cannot be imported, or is wired wrongly.
    """
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    cli = root_command()
    add_framework_commands(cli, typed=word)
    if word is not None and word not in FRAMEWORK_COMMANDS:
        for name, command in contributed_commands(program).items():
            cli.command(name, rich_help_panel=OWN_COMMANDS)(command)
    return cli
