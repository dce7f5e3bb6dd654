"""The reference of the command line: every command with its arguments and options, from the commands themselves."""

import inspect
from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from bullworks.cli.framework_commands import FRAMEWORK_COMMANDS
from bullworks.cli.importing import import_object
from docs.hooks.markdown import table


def cli_page() -> str:
    """Write the page of all commands."""
    parts = [
        "# Command line",
        (
            "Made from the commands. `bullworks ...` in a project's folder is `python main.py ...` of that project;"
            " without a command it starts the service. Exit codes: 0 done, 1 failed, 2 wrong input or settings, 130"
            " interrupted."
        ),
    ]
    for name, place in FRAMEWORK_COMMANDS.items():
        if not place.is_hidden:
            parts += _described(_command(name, place.place), name, level=2)
    return "\n\n".join(parts)


def _command(name: str, place: str) -> TyperCommand | TyperGroup:
    found = import_object(place)
    if not isinstance(found, typer.Typer):
        cli = typer.Typer(add_completion=False)
        cli.command(name)(found)
        found = cli
    command = get_command(found)
    assert isinstance(command, TyperCommand | TyperGroup)  # noqa: S101  # what typer makes
    return command


def _described(command: TyperCommand | TyperGroup, path: str, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`"
    if text := inspect.cleandoc(command.help or "").replace("\f", ""):
        yield text
    if isinstance(command, TyperCommand):
        shown = [each for each in command.params if isinstance(each, TyperArgument | TyperOption) and not each.hidden]
        if shown:
            yield table(("", "Default", "Meaning"), map(_row, shown))
    else:
        for name, part in command.commands.items():
            if isinstance(part, TyperCommand | TyperGroup) and not part.hidden:
                yield from _described(part, f"{path} {name}", level=level + 1)


def _row(parameter: TyperArgument | TyperOption) -> tuple[str, str, str]:
    if isinstance(parameter, TyperArgument):
        names = (parameter.name or "").upper()
    else:
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    default = parameter.default
    shown = "" if default is None or callable(default) or default in (False, (), []) else f"`{default}`"
    return f"`{names}`", "required" if parameter.required else shown, parameter.help or ""
