"""The command line as a whole: `main.py` alone starts the service, with a word it does something else."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bullworks import __version__
from bullworks.cli.board_command import board
from bullworks.cli.connection import reached_redis
from bullworks.cli.demo import demo
from bullworks.cli.failure import EXIT_FAILED, exit_code_of, message_of
from bullworks.cli.job_commands import job_app
from bullworks.cli.module_commands import modules
from bullworks.cli.queue_commands import queue_app
from bullworks.cli.running import run
from bullworks.cli.schedule_commands import schedule_app
from bullworks.cli.serve import serve
from bullworks.cli.worker_command import worker
from bullworks.redis.endpoint import Endpoint
from bullworks.settings import Settings

EPILOG = (
    "Settings come from the environment or .env, see .env.example. "
    "Exit codes: 0 done, 1 failed, 2 wrong input or settings, 130 interrupted."
)

cli = typer.Typer(
    help="Bullworks: background workers on BullMQ's queues. Without a command it starts the service.",
    epilog=EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(queue_app, name="queue")
cli.add_typer(job_app, name="job")
cli.add_typer(schedule_app, name="schedule")
cli.command()(demo)
cli.command()(worker)
cli.command()(modules)
cli.command()(board)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"Bullworks {__version__}")
        raise typer.Exit


@cli.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Start the service unless a command was named; `main` looks for --debug itself."""
    del debug, version
    if context.invoked_subcommand is None:
        run(serve(Settings.load()))


@cli.command("redis-url")
def redis_url(
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep the embedded server running until Ctrl-C, for other programs.")
    ] = False,
) -> None:
    """Print the URL of the queues' Redis, password included, for redis-cli, Node or Bull Board.

    Example: redis-cli -u "$(python main.py redis-url)" while the service runs
    """
    run(_print_redis_url(hold))


async def _print_redis_url(hold: bool) -> None:
    settings = Settings.load().queue
    async with reached_redis(settings) as url:
        endpoint = Endpoint.of(url, connect_timeout_ms=settings.queue_connect_timeout_ms)
        await (await endpoint.open()).disconnect()
        print(url, flush=True)
        if hold:
            print("The server is held until Ctrl-C.", file=sys.stderr, flush=True)
            await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and end the process; errors that a user can cause are told in words.

    Args:
        arguments: without the program's name; those of this process unless given.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        cli(arguments)
    except Exception as error:  # the outermost place: what is not told here is re-raised
        message = message_of(error)
        if message is None or "--debug" in arguments:
            raise
        print(f"error: {message}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    sys.exit(EXIT_FAILED)  # typer itself always exits
