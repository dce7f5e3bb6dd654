"""`main.py serve`: the service in this process, or in one that is started again when its code changes."""

import sys
from typing import Annotated

import typer

from bullworks import logs
from bullworks.cli.failure import CommandError
from bullworks.cli.life_line import LIFE_LINE_OPTION, end_with_parent
from bullworks.cli.program import Program
from bullworks.cli.running import run
from bullworks.cli.serve import serve
from bullworks.extras import require
from bullworks.logs import LogSettings
from bullworks.settings import project_folder


def serve_service(
    reload: Annotated[
        bool, typer.Option("--reload", help="Start it again when a .py file or .env of the project changes.")
    ] = False,
    life_line: Annotated[int | None, typer.Option(LIFE_LINE_OPTION, hidden=True)] = None,
) -> None:
    """Start the service, as no command does.

    With --reload, for development, a change ends the process: jobs that run have two seconds to end, and are handed
    back then; so that none is lost. Code that cannot be imported is reported, and the next change is waited for.

    Example: main.py serve --reload
    """
    if not reload:
        if life_line is not None:
            end_with_parent(life_line)
        run(serve(Program.current()))
        return
    require("reload", "serve --reload")
    if sys.platform == "win32":
        raise CommandError("--reload needs POSIX signals", "Start `main.py serve` again by hand.")
    from bullworks.cli.development.reloader import Reloader

    program = Program.current()
    program.settings.read([LogSettings])
    logs.configure(program.settings[LogSettings])
    run(Reloader([*program.command(), "serve"], project_folder()).run())
