"""The commands that modules of a service contribute to its command line."""

from collections.abc import Callable
from typing import Any

from bullworks.cli.importing import import_object
from bullworks.cli.program import Program
from bullworks.core import CommandToken


def contributed_commands(program: Program) -> dict[str, Callable[..., Any]]:
    """Collect the commands of all modules by name, in the modules' order; nothing is built.

    Raises:
        CommandError: the root module, or a function, cannot be imported.
        WiringError: the modules do not fit together.
    """
    found: dict[str, Callable[..., Any]] = {}
    for provider in program.application().discovery.providers():
        if isinstance(provider.token, CommandToken):
            function: Any = provider.instance
            found[provider.token.command_name] = import_object(function) if isinstance(function, str) else function
    return found
