"""The command line as a whole: `main.py` alone starts the service, with a command it does something else."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from bullworks.extras import require

require("cli", "the command line")

import typer

from bullworks import __version__
from bullworks.cli.board_command import board
from bullworks.cli.contributed import contributed_commands
from bullworks.cli.failure import EXIT_FAILED, exit_code_of, message_of
from bullworks.cli.generate import generate_app
from bullworks.cli.job_commands import job_app
from bullworks.cli.module_commands import modules
from bullworks.cli.new_command import new
from bullworks.cli.program import Program
from bullworks.cli.queue_commands import queue_app
from bullworks.cli.redis_url_command import redis_url
from bullworks.cli.running import run
from bullworks.cli.schedule_commands import schedule_app
from bullworks.cli.serve import serve
from bullworks.cli.upgrade import upgrade
from bullworks.cli.worker_command import worker

EPILOG = (
    "Settings come from the environment or .env, see .env.example. "
    "Exit codes: 0 done, 1 failed, 2 wrong input or settings, 130 interrupted."
)
_GROUPS = {"queue": queue_app, "job": job_app, "schedule": schedule_app, "generate": generate_app, "g": generate_app}
_SHORT_NAMES = frozenset({"g"})
_COMMANDS: dict[str, Callable[..., None]] = {
    "worker": worker,
    "modules": modules,
    "board": board,
    "redis-url": redis_url,
    "new": new,
    "upgrade": upgrade,
}
_OWN_COMMANDS = "This service's commands"


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
    """Build the command line: the framework's commands, and the service's own where they are needed.

    Raises:
        CommandError, WiringError: one of them may be named, and the service cannot be imported, or is wired wrongly.
    """
    cli = typer.Typer(
        help="Bullworks: background workers on BullMQ's queues. Without a command it starts the service.",
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    cli.callback(invoke_without_command=True)(_start)
    for name, group in _GROUPS.items():
        cli.add_typer(group, name=name, hidden=name in _SHORT_NAMES)
    for name, command in _COMMANDS.items():
        cli.command(name)(command)
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    if word is None and "--help" in arguments:
        try:
            _add_contributed(cli, program)
        except Exception as error:  # noqa: BLE001 - --help must work to mend it
            print(f"The service's own commands cannot be listed: {message_of(error) or repr(error)}\n", file=sys.stderr)
    elif word is not None and word not in _GROUPS and word not in _COMMANDS:
        _add_contributed(cli, program)
    return cli


def _add_contributed(cli: typer.Typer, program: Program) -> None:
    for name, command in contributed_commands(program).items():
        cli.command(name, rich_help_panel=_OWN_COMMANDS)(command)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"Bullworks {__version__}")
        raise typer.Exit


def _start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Start the service unless a command was named; `main` looks for --debug itself."""
    del debug, version
    if context.invoked_subcommand is None:
        run(serve(Program.current()))
