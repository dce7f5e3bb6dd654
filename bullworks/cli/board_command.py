"""`main.py board`: the board alone, over queues that other processes work on."""

from contextlib import AsyncExitStack
from typing import Annotated

import typer

from bullworks import logs
from bullworks.cli.connection import Queues, open_queues
from bullworks.cli.failure import CommandError
from bullworks.cli.program import Program
from bullworks.cli.running import run
from bullworks.logs import LogSettings


def board(
    queue: Annotated[
        list[str] | None, typer.Option("--queue", metavar="NAME", help="A queue to show, repeatable; default: all.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Read-only, whatever BOARD_READ_ONLY says.")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Overrides HTTP_PORT; 0 means any free port.")
    ] = None,
) -> None:
    """Serve the board without workers, until SIGINT or SIGTERM. Restart it to show queues created later.

    Example: main.py board --read-only --port 3001
    """
    run(_serve(queue or [], read_only, port))


async def _serve(names: list[str], is_read_only: bool, port: int | None) -> None:
    # their imports take longer than --help may
    from bullworks.board import BoardModule, BoardSettings
    from bullworks.bullmq import Queue
    from bullworks.core import create_application, module
    from bullworks.redis import connection_to
    from bullworks.web import WebModule, WebServer, WebSettings

    # one module of many is built here: variables of the others stand in .env as well
    settings = Program.current().settings.over({}, names_unknown=False)
    settings.check([LogSettings, WebSettings, BoardSettings])
    web = settings[WebSettings]
    logs.configure(settings[LogSettings])
    async with open_queues() as reached, AsyncExitStack() as stack:
        connection = connection_to(reached.endpoint)
        stack.push_async_callback(connection.close)
        queues = [Queue(name, connection=connection, prefix=reached.prefix) for name in await _chosen(reached, names)]
        board_module = BoardModule.for_root(queues=queues, read_only=is_read_only or None)
        web_module = WebModule.for_root(
            host=web.http_host, port=web.http_port if port is None else port, serve="always"
        )

        @module(imports=[web_module, board_module])
        class BoardOnly:
            """The board and nothing else."""

        application = create_application(BoardOnly, settings=settings)
        application.enable_shutdown_hooks()
        async with await application:
            print(f"{application.get(WebServer).url}{settings[BoardSettings].board_path}/", flush=True)
            await application.wait_for_shutdown()


async def _chosen(reached: Queues, names: list[str]) -> list[str]:
    known = await reached.names()
    for name in names:
        if name not in known:
            raise CommandError.unknown("queue", name, known)
    return list(dict.fromkeys(names)) or known
