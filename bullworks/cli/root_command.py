"""The command line before any command: its help, its options, and the start of the service where none is typed."""

from typing import Annotated

import typer

_EPILOG = (
    "Settings come from the environment or .env, see .env.example. "
    "Exit codes: 0 done, 1 failed, 2 wrong input or settings, 130 interrupted."
)
OWN_COMMANDS = "This service's commands"
"""The heading of the commands that modules of the service contribute."""


def root_command() -> typer.Typer:
    """Build a command line without commands."""
    cli = typer.Typer(
        help="Bullworks: background workers on BullMQ's queues. Without a command it starts the service.",
        epilog=_EPILOG,
        add_completion=True,
        pretty_exceptions_enable=False,
    )
    cli.callback(invoke_without_command=True)(_start)
    return cli


def _start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Start the service unless a command was named; `main` looks for --debug and --version itself."""
    del debug, version
    if context.invoked_subcommand is None:
        from bullworks.cli.program import Program
        from bullworks.cli.running import run
        from bullworks.cli.serve import serve

        run(serve(Program.current()))
