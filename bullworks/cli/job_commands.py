"""`main.py job ...`: what is known of one job, cancelling it, signalling it, and running it again from a step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bullworks.bullmq import CancelOutcome, Job, Queue, SignalOutcome
from bullworks.cli.connection import Queues, open_queues
from bullworks.cli.failure import CommandError
from bullworks.cli.json_argument import json_argument
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.running import run

job_app = typer.Typer(help="Show one job, cancel it, signal it, or run it again from a step.", no_args_is_help=True)

_SIGNALLED: dict[SignalOutcome, str] = {
    "woken": "{job} waited for it, and goes on.",
    "kept": "{job} has the signal, and will find it when it waits.",
    "repeated": "{job} had a signal of this name; it keeps the first.",
    "late": "{job} waits no longer: its wait has timed out.",
}

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
    traces, logs, steps = facts.pop("stacktrace"), facts.pop("logs"), facts.pop("steps")
    print_table(["fact", "value"], [[name, value] for name, value in facts.items() if value is not None])
    for title, lines in (
        ("steps", steps),
        ("log", logs),
        *((f"trace {n}", text.splitlines()) for n, text in enumerate(traces, 1)),
    ):
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


@job_app.command()
def signal(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    name: Annotated[str, typer.Argument(help="The signal that it waits for.")],
    data: Annotated[str, typer.Option(help="JSON for the handler; - reads it from standard input.")] = "null",
    queue: Annotated[str | None, typer.Option(help="Its queue; needed where several have such an id.")] = None,
) -> None:
    """Tell a job what its wait_for waits for, now or later.

    Example: main.py job signal 7 approval --queue orders --data '{"by": "ann"}'
    """
    say(run(_signal(job_id, queue, name, json_argument(data))))


@job_app.command()
def retry_from(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    step: Annotated[str, typer.Argument(help="The first step that is to be done again.")],
    queue: Annotated[str | None, typer.Option(help="Its queue; needed where several have such an id.")] = None,
) -> None:
    """Run a finished job again from a step on; what it did before that step is not done again.

    Example: main.py job retry-from 7 charge --queue orders
    """
    say(run(_retry_from(job_id, queue, step)))


async def _signal(job_id: str, queue: str | None, name: str, data: Any) -> str:
    async with _queue_with(job_id, queue) as opened:
        outcome = await opened.signal(job_id, name, data)
        return _SIGNALLED[outcome].format(job=f"Job {job_id} of {opened.name}")


async def _retry_from(job_id: str, queue: str | None, step: str) -> str:
    async with _queue_with(job_id, queue) as opened:
        await opened.retry_from(job_id, step)
        return f"Job {job_id} of {opened.name} runs again from {step!r}."


@asynccontextmanager
async def _queue_with(job_id: str, queue: str | None) -> AsyncIterator[Queue]:
    async with open_queues() as queues:
        name = await _only_queue_with(queues, job_id) if queue is None else queue
        async with queues.open_queue(name) as opened:
            yield opened


async def _cancel(job_id: str, queue: str | None, reason: str | None) -> str:
    async with _queue_with(job_id, queue) as opened:
        outcome = await opened.cancel(job_id, reason)
        if outcome == "missing":
            raise CommandError(f"there is no job {job_id!r} in {opened.name}")
        return _WORDS[outcome].format(job=f"Job {job_id} of {opened.name}")


async def _facts(job_id: str, queue: str | None) -> dict[str, Any]:
    async with _queue_with(job_id, queue) as opened:
        job = await opened.get_job(job_id)
        if job is None:
            raise CommandError(f"there is no job {job_id!r} in {opened.name}")
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
        "steps": [f"{step.name} ({step.kind}): {step.value.decode('utf-8', 'replace')}" for step in job.steps],
        "logs": await job.logs(),
        "stacktrace": job.stacktrace,
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
