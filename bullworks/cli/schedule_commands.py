"""`main.py schedule ...`: what runs when, what became of it, and running a cron by hand."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bullworks import logs
from bullworks.cli.connection import open_queues
from bullworks.cli.failure import CommandError
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.program import Program
from bullworks.cli.running import run
from bullworks.logs import LogSettings
from bullworks.redis import PipelinedConnection, connection_to
from bullworks.schedule import CronRun, SchedulerRegistry
from bullworks.schedule.journal.records import CronRecord, read_names, read_record
from bullworks.schedule.planning import Planned
from bullworks.schedule.survey import survey

schedule_app = typer.Typer(help="List crons, and run one.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_COLUMNS = ["name", "expression", "next_run", "last_run", "result", "took_ms", "instance", "missed"]


@schedule_app.command("list")
def list_crons(as_json: AsJson = False) -> None:
    """List crons, intervals and timeouts, with each cron's next and last run in the whole fleet.

    Example: main.py schedule list --json
    """
    rows = run(_rows())
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nothing is scheduled.")
    else:
        print_table(
            [column.replace("_", " ") for column in _COLUMNS],
            [["-" if row[column] is None else row[column] for column in _COLUMNS] for row in rows],
        )


@schedule_app.command()
def misses(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cron's name.")], as_json: AsJson = False
) -> None:
    """List the ticks that a cron missed, at most the last 100, and why.

    Example: main.py schedule misses nightly-report
    """

    async def act() -> CronRecord:
        async with open_queues() as queues:
            connection = connection_to(queues.endpoint)
            try:
                known = {*await read_names(connection), *(job.name for job in _crons_in_code())}
                if name not in known:
                    raise CommandError.unknown("cron", name, sorted(known))
                return await read_record(connection, name)
            finally:
                await connection.close()

    found = run(act()).misses
    rows = [{"tick": _time(miss.tick_ms), "reason": miss.reason, "instance": miss.instance} for miss in found]
    if as_json:
        print_json(rows)
    elif not rows:
        say(f"{name} has missed nothing.")
    else:
        print_table(["tick", "reason", "instance"], [list(row.values()) for row in rows])


@schedule_app.command("run")
def run_cron(name: Annotated[str, typer.Argument(metavar="NAME", help="The cron's name.")]) -> None:
    """Run a cron once, now, in this process; no worker and no other cron runs in it.

    Example: main.py schedule run nightly-report
    """
    ran = run(_run(name))
    if ran.error is not None:
        raise CommandError(f"{name} failed after {ran.duration_ms} ms: {type(ran.error).__name__}: {ran.error}")
    say(f"Ran {name} in {ran.duration_ms} ms.")


async def _run(name: str) -> CronRun:
    # only the modules are wanted, with their connections: the rest of the fleet works meanwhile
    program = Program.current().over({"WORKERS_ENABLED": "false", "ENABLED_WORKERS": "all", "HTTP_SERVE": "never"})
    logs.configure(program.settings[LogSettings])
    async with await program.application() as application:
        jobs = application.get(SchedulerRegistry).get_cron_jobs()
        if name not in jobs:
            raise CommandError.unknown("cron", name, sorted(jobs))
        return await jobs[name].fire_on_tick()


def _crons_in_code() -> list[Planned]:
    """All jobs that the service's decorators come to; nothing is built."""
    found = survey(Program.current().application().discovery)
    if found.problems:
        raise ExceptionGroup("the schedule cannot start", found.problems)
    return found.jobs


async def _rows() -> list[dict[str, Any]]:
    planned = _crons_in_code()
    async with open_queues() as queues:
        connection = connection_to(queues.endpoint)
        try:
            in_code = [await _row(connection, job) for job in planned]
            names = {job.name for job in planned if job.job is not None}
            elsewhere = [await read_record(connection, name) for name in await read_names(connection)]
        finally:
            await connection.close()
    # added at run time, or by another service on this Redis; forgotten ones have left their names only
    others = [record for record in elsewhere if record.name not in names and record.started_at_ms is not None]
    return in_code + [_facts(record.name, record.pattern, record.next_ms, record) for record in others]


async def _row(connection: PipelinedConnection, job: Planned) -> dict[str, Any]:
    if job.job is None:
        how = "every" if job.kind == "interval" else "once after"
        return _facts(job.name, f"{how} {job.duration_ms} ms", None, None)
    ticks = job.job.facts.ticks
    next_ms = None if job.is_disabled else ticks.next_ms(time.time_ns() // 1_000_000)
    expression = f"{ticks.pattern} (disabled)" if job.is_disabled else ticks.pattern
    return _facts(job.name, expression, next_ms, await read_record(connection, job.name))


def _facts(name: str, expression: str, next_ms: int | None, record: CronRecord | None) -> dict[str, Any]:
    has_run = record is not None and record.started_at_ms is not None
    return {
        "name": name,
        "expression": expression,
        "next_run": _time(next_ms),
        "last_run": _time(record.started_at_ms) if record is not None else None,
        "result": _result(record) if record is not None and has_run else None,
        "took_ms": record.duration_ms if record is not None else None,
        "instance": record.instance if record is not None and has_run else None,
        "missed": len(record.misses) if record is not None else None,
    }


def _result(record: CronRecord) -> str:
    return f"{record.result}: {record.error}" if record.error else record.result


def _time(instant_ms: int | None) -> str | None:
    if instant_ms is None:
        return None
    return datetime.fromtimestamp(instant_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
