"""Commands: what a module adds to the command line of its service."""

from collections.abc import Callable
from typing import Any

from bullworks.core.provide import Binding, UseValue
from bullworks.core.tokens import Token, snake_case


class CommandToken(Token[Callable[..., Any]]):
    """The token of a command line command."""

    def __init__(self, command_name: str) -> None:
        super().__init__(f"command:{command_name}", attr=f"{snake_case(command_name)}_command")

    @property
    def command_name(self) -> str:
        """The command's name on the command line, after `main.py`."""
        return self.name.removeprefix("command:")


def command(function: Callable[..., Any] | str, *, name: str | None = None) -> Binding:
    """Declare a command of the service, for `providers`: `main.py demo` calls the function.

    Its parameters are the command's arguments and options, as typer reads them; its docstring is the command's help.

    Args:
        function: takes what the user types; or where it is, as in `app.modules.email.demo:demo`, so that only the
            command line imports it. `bullworks.cli.Program.current()` is the service that it belongs to.
        name: what is typed; the function's name with dashes unless given.
    """
    own = function.rpartition(":")[2] if isinstance(function, str) else function.__name__
    given = name if name is not None else own.strip("_").replace("_", "-")
    return Binding(CommandToken(given), UseValue(function))
