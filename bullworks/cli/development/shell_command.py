"""`main.py shell`: a console with the service's providers and queues, in which `await` works."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from bullworks.bullmq import Queue
from bullworks.cli.development.console import AsyncConsole, LoopThread
from bullworks.cli.failure import EXIT_FAILED, CommandError
from bullworks.cli.program import Program
from bullworks.cli.running import loop_factory
from bullworks.core import Application
from bullworks.workers.tokens import QueueToken

BANNER = """\
{service}: no workers, no crons and no HTTP in this process.
app, get(UserService), await resolve(...), queues["email"]: await queues["email"].get_job_counts()
Ctrl-D ends it."""


def shell(
    command: Annotated[
        str | None, typer.Option("--command", "-c", metavar="CODE", help="Run this, and nothing else.")
    ] = None,
) -> None:
    """Open a Python console in the service; `await` works, and providers are known by their classes' names.

    Example: main.py shell -c 'await queues["email"].get_job_counts()'
    """
    # no clock and no worker: who looks around should not find the work done by himself
    program = Program.current().over({"WORKERS_ENABLED": "false", "HTTP_SERVE": "never", "SCHEDULE_RUNS": "none"})
    application = program.application()
    is_done = True
    with LoopThread(loop_factory()) as loop:
        loop.run(application.init())
        try:
            console = AsyncConsole(names_of(application), loop)
            if command is not None:
                is_done = console.run_text(command)
            else:
                _complete_names(console)
                console.interact(BANNER.format(service=program.module().__name__), exitmsg="")
        finally:
            loop.run(application.close())
    if not is_done:
        raise typer.Exit(EXIT_FAILED)


class ShellQueues(Mapping[str, Queue[Any]]):
    """The queues of the service by name."""

    def __init__(self, application: Application) -> None:
        self._queues = {
            provider.token.queue_name: provider.instance
            for provider in application.discovery.providers()
            if isinstance(provider.token, QueueToken)
        }

    def __getitem__(self, name: str) -> Any:
        if name not in self._queues:
            raise CommandError.unknown("queue", name, list(self._queues))
        return self._queues[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._queues)

    def __len__(self) -> int:
        return len(self._queues)

    def __repr__(self) -> str:
        return f"<queues {', '.join(self._queues)}>"


def names_of(application: Application) -> dict[str, Any]:
    """The names that the console begins with: classes of providers, and the ways to get instances of them."""
    tokens = [provider.token for provider in application.discovery.providers()]
    classes = {token.__name__: token for token in tokens if isinstance(token, type)}
    return {
        **classes,
        "asyncio": asyncio,
        "app": application,
        "container": application.container,
        "get": application.get,
        "resolve": application.resolve,
        "queues": ShellQueues(application),
    }


def _complete_names(console: AsyncConsole) -> None:
    """Complete names with the tab key, where there is a terminal and a readline."""
    if not sys.stdin.isatty():
        return
    try:
        import readline
        import rlcompleter
    except ImportError:  # Windows
        return
    readline.set_completer(rlcompleter.Completer(console.locals).complete)
    readline.parse_and_bind("tab: complete")
