"""`main.py job ...`: what is known of one job, and cancelling it."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bullworks.bullmq import CancelOutcome, Job
from bullworks.cli.connection import Queues, open_queues
from bullworks.cli.failure import CommandError
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.running import run

job_app = typer.Typer(help="Show one job, or cancel it.", no_args_is_help=True)

_WORDS: dict[CancelOutcome, str] = {
    "cancelled": "{job} is cancelled.",
    "requested": "{job} runs; its worker is told to stop it.",
    "finished": "{job} had ended before.",
    "scheduled": "{job} stays: its job scheduler needs it. Remove the scheduler.",
}


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


@job_app.command()
def cancel(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    queue: Annotated[str | None, typer.Option(help="Its queue; needed where several have such an id.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; its failed reason says it.")] = None,
) -> None:
    """Cancel a job with the jobs below it, also where a worker is running it; it is not tried again.

    Example: main.py job cancel 7 --queue email --reason "sent by mistake"
    """
    say(run(_cancel(job_id, queue, reason)))


async def _cancel(job_id: str, queue: str | None, reason: str | None) -> str:
    async with open_queues() as queues:
        if queue is None:
            queue = await _only_queue_with(queues, job_id)
        async with queues.open_queue(queue) as opened:
            outcome = await opened.cancel(job_id, reason)
    if outcome == "missing":
        raise CommandError(f"there is no job {job_id!r} in {queue}")
    return _WORDS[outcome].format(job=f"Job {job_id} of {queue}")


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
