"""The framework's commands: where each is, and what `--help` says of it; only the one that is typed is imported."""

from collections.abc import Mapping
from dataclasses import dataclass

import typer

from bullworks.cli.importing import import_object


@dataclass(frozen=True, slots=True)
class FrameworkCommand:
    """A command, or a group of commands.

    Attributes:
        place: its function or typer.Typer, as in `package.module:name`.
        summary: the first paragraph of its help.
        is_hidden: it is not listed.
    """

    place: str
    summary: str
    is_hidden: bool = False


_GENERATE = "bullworks.cli.generate:generate_app"
_GENERATES = "Write a part of a service and its test, and register it. Nothing that exists is overwritten."

FRAMEWORK_COMMANDS: Mapping[str, FrameworkCommand] = {
    "serve": FrameworkCommand(
        "bullworks.cli.development.serve_command:serve_service", "Start the service, as no command does."
    ),
    "worker": FrameworkCommand(
        "bullworks.cli.worker_command:worker",
        "Run workers until SIGINT or SIGTERM; any number of processes may, on any number of machines.",
    ),
    "shell": FrameworkCommand(
        "bullworks.cli.development.shell_command:shell",
        "Open a Python console in the service; `await` works, and providers are known by their classes' names.",
    ),
    "modules": FrameworkCommand(
        "bullworks.cli.module_commands:modules",
        "Show modules, providers, exports, queues, processors and schedules. Builds nothing and needs no Redis.",
    ),
    "board": FrameworkCommand(
        "bullworks.cli.board_command:board",
        "Serve the board without workers, until SIGINT or SIGTERM. Restart it to show queues created later.",
    ),
    "redis-url": FrameworkCommand(
        "bullworks.cli.redis_url_command:redis_url",
        "Print the URL of the queues' Redis, password included, for redis-cli, Node or Bull Board.",
    ),
    "new": FrameworkCommand(
        "bullworks.cli.new_command:new",
        "Write a new project: a service with a feature, its worker, a cron and tests.",
    ),
    "upgrade": FrameworkCommand(
        "bullworks.cli.upgrade:upgrade",
        "Bring this project's own files up to the Bullworks that is installed; your edits stay.",
    ),
    "queue": FrameworkCommand("bullworks.cli.queue_commands:queue_app", "List and change queues."),
    "job": FrameworkCommand(
        "bullworks.cli.job_commands:job_app", "Show one job, cancel it, signal it, or run it again from a step."
    ),
    "schedule": FrameworkCommand("bullworks.cli.schedule_commands:schedule_app", "List crons, and run one."),
    "generate": FrameworkCommand(_GENERATE, _GENERATES),
    "g": FrameworkCommand(_GENERATE, _GENERATES, is_hidden=True),
}
"""By name, in the order of `--help`."""


def add_framework_commands(cli: typer.Typer, typed: str | None) -> None:
    """Add all commands to a command line: the one that was typed to be run, the others to be listed."""
    for name, command in FRAMEWORK_COMMANDS.items():
        if name != typed:
            list_command(cli, name, command.summary, is_hidden=command.is_hidden)
            continue
        found = import_object(command.place)
        if isinstance(found, typer.Typer):
            cli.add_typer(found, name=name)
        else:
            cli.command(name)(found)


def list_command(
    cli: typer.Typer, name: str, text: str, *, heading: str | None = None, is_hidden: bool = False
) -> None:
    """Add a command that `--help` lists, and that cannot be run."""

    def listed() -> None:
        raise NotImplementedError(name)

    cli.command(name, help=text, hidden=is_hidden, rich_help_panel=heading)(listed)
