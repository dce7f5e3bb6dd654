"""`--help`: all commands, none of them imported."""

import inspect
import sys
from typing import Any

import typer

from bullworks.cli.failure import message_of
from bullworks.cli.framework_commands import add_framework_commands, list_command
from bullworks.cli.importing import import_object
from bullworks.cli.remembered_help import RememberedHelp
from bullworks.cli.root_command import OWN_COMMANDS, root_command


def overview(app: str | type[Any]) -> typer.Typer:
    """Build the command line that lists the framework's commands and the service's own; it runs none.

    A service that cannot be imported is an error on standard error, and the list goes without its commands.

    Args:
        app: its root module, as in `app.app_module:AppModule`, or the class itself.
    """
    cli = root_command()
    add_framework_commands(cli, typed=None)
    for name, text in _help_of_own(app).items():
        list_command(cli, name, text, heading=OWN_COMMANDS)
    return cli


def _help_of_own(app: str | type[Any]) -> dict[str, str]:
    if not isinstance(app, str):
        return _import_help(app)
    memory = RememberedHelp(app)
    remembered = memory.read()
    if remembered is not None:
        return remembered
    try:
        found = _import_help(import_object(app))
    except Exception as error:  # noqa: BLE001 - --help must work to mend it
        print(f"The service's own commands cannot be listed: {message_of(error) or repr(error)}\n", file=sys.stderr)
        return {}
    memory.write(found)
    return found


def _import_help(app: Any) -> dict[str, str]:
    # takes most of a second, like the service itself
    from bullworks.cli.contributed import contributed_commands
    from bullworks.cli.program import Program

    return {name: inspect.getdoc(command) or "" for name, command in contributed_commands(Program(app)).items()}
