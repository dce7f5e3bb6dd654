"""`main.py worker`: workers in this process, or in several under a supervisor."""

import logging
import sys
from typing import Annotated

import typer

from bullworks import logs
from bullworks.cli.failure import CommandError
from bullworks.cli.life_line import end_with_parent
from bullworks.cli.program import Program
from bullworks.cli.running import run
from bullworks.cli.serve import serve
from bullworks.cli.worker_process import NUMBER_OPTION, STANDARD_INPUT
from bullworks.extras import MissingExtraError
from bullworks.logs import LogSettings
from bullworks.settings import Settings
from bullworks.workers import QueueSettings, WorkersSettings

log = logging.getLogger(__name__)

_MOST_PROCESSES = 256


def worker(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Workers to run; default: ENABLED_WORKERS.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_PROCESSES,
            metavar="N",
            help="Run N processes, each with all these workers, and start one that died again. "
            "About one for each CPU that is free.",
        ),
    ] = None,
    number: Annotated[int | None, typer.Option(NUMBER_OPTION, hidden=True)] = None,
) -> None:
    """Run workers until SIGINT or SIGTERM; any number of processes may, on any number of machines.

    A signal lets running jobs end within SHUTDOWN_GRACE_MS, a second one hands them back at once.

    With --processes, process 0 serves HTTP and runs crons, intervals and timeouts.
    The others run jobs, and crons that are distributed.
    A process that dies starts again after 1, 2, 4 ... 30 seconds.

    Exit code 0: all ended in order. 1: one was killed, or could not start. 2: wrong settings.

    Example: main.py worker email --processes 4
    """
    program = Program.current().over(_selection(names or []))
    http_settings = _http_settings()
    program.settings.read([LogSettings, QueueSettings, *http_settings, WorkersSettings])
    if processes is not None:
        sys.exit(run(_supervise(program, names or [], processes)))
    if any("http_serve" not in program.settings[cls].model_fields_set for cls in http_settings):
        # One of several that were started by hand has the port, which is no reason for the others to fail.
        program = program.over({"HTTP_SERVE": "if-free"})
    if number is not None:
        end_with_parent(STANDARD_INPUT)
    run(serve(program, process=number))


def _selection(names: list[str]) -> dict[str, str | None]:
    """Variables that let this process run these workers, or with no names those that the environment selects."""
    if not names:
        return {"WORKERS_ENABLED": "true"}
    return {"WORKERS_ENABLED": "true", "ENABLED_WORKERS": ",".join(names)}


def _http_settings() -> list[type[Settings]]:
    """Where HTTP is served; nowhere without the extra `web`, and then there is nothing to read."""
    try:
        from bullworks.web import WebSettings
    except MissingExtraError:
        return []
    return [WebSettings]


async def _supervise(program: Program, names: list[str], count: int) -> int:
    from bullworks.cli.supervisor import Supervisor

    if sys.platform == "win32":
        raise CommandError("--processes needs POSIX signals", "Start several `main.py worker` instead.")
    settings = program.settings
    logs.configure(settings[LogSettings])
    log.info("keeping %d processes up", count)
    others = {"HTTP_SERVE": "never"}
    if settings[WorkersSettings].schedule_runs == "all":
        others["SCHEDULE_RUNS"] = "distributed"
    command = [*program.command(), "worker"]
    environments = [{}, *[others] * (count - 1)]
    grace_s = settings[QueueSettings].shutdown_grace_ms / 1000
    code = await Supervisor(command, names, environments, grace_s=grace_s).run()
    log.info("all processes have ended")
    return code
