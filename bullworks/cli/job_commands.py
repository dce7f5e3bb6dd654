"""`main.py job ...`: what is known of one job."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bullworks.bullmq import Job
from bullworks.cli.connection import Queues, open_queues
from bullworks.cli.failure import CommandError
from bullworks.cli.output import print_json, print_table
from bullworks.cli.running import run

job_app = typer.Typer(help="Show one job.", no_args_is_help=True)


@job_app.callback()
def _job() -> None:
    """Without a callback, typer would make the only command the application itself."""


@job_app.command()
def show(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    queue: Annotated[
        str | None, typer.Option(help="The job's queue; needed if several queues have a job with this id.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a job's state, data, result and errors.

    Example: main.py job show 7 --queue email
    """
    facts = run(_facts(job_id, queue))
    if as_json:
        print_json(facts)
        return
    traces, logs = facts.pop("stacktrace"), facts.pop("logs")
    print_table(["fact", "value"], [[name, value] for name, value in facts.items() if value is not None])
    for title, lines in (("log", logs), *((f"trace {n}", text.splitlines()) for n, text in enumerate(traces, 1))):
        if lines:
            print()
            print_table([title], [[line] for line in lines])


async def _facts(job_id: str, queue: str | None) -> dict[str, Any]:
    async with open_queues() as queues:
        if queue is None:
            queue = await _only_queue_with(queues, job_id)
        async with queues.open_queue(queue) as opened:
            job = await opened.get_job(job_id)
            if job is None:
                raise CommandError(f"there is no job {job_id!r} in {queue}")
            return await facts_of(job)


async def _only_queue_with(queues: Queues, job_id: str) -> str:
    found = []
    for name in await queues.names():
        async with queues.open_queue(name, must_exist=False) as opened:
            if await opened.get_job(job_id) is not None:
                found.append(name)
    if not found:
        raise CommandError(f"no queue has a job {job_id!r}")
    if len(found) > 1:
        raise CommandError(f"several queues have a job {job_id!r}", f"Choose one with --queue {' or '.join(found)}")
    return found[0]


async def facts_of(job: Job) -> dict[str, Any]:
    """List a job's facts in reading order; times as ISO text."""
    return {
        "id": job.id,
        "queue": job.queue_name,
        "name": job.name,
        "state": await job.get_state(),
        "attempts": job.attempts_made,
        "progress": job.progress,
        "priority": job.priority,
        "added": _time(job.timestamp),
        "started": _time(job.processed_on),
        "finished": _time(job.finished_on),
        "data": job.data,
        "result": job.returnvalue,
        "failed_reason": job.failed_reason,
        "logs": await job.logs(),
        "stacktrace": job.stacktrace,
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
