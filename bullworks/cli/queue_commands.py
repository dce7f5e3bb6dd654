"""`main.py queue ...`: what an operator does to queues."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

import typer

from bullworks.bullmq import Job, JobOptions, Queue
from bullworks.cli.connection import Queues, open_queues
from bullworks.cli.durations import milliseconds
from bullworks.cli.failure import EXIT_FAILED, CommandError
from bullworks.cli.json_argument import json_argument
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.running import run

JOBS_A_PAGE = 500  # of a failed set that is being retried
RETRIES_AT_ONCE = 50

queue_app = typer.Typer(help="List and change queues.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


CleanState = Literal["completed", "failed", "waiting", "delayed", "prioritized"]


def _with_queue(name: str, action: Callable[[Queue], Coroutine[Any, Any, Any]]) -> Any:
    async def act() -> Any:
        async with open_queues() as queues, queues.open_queue(name) as queue:
            return await action(queue)

    return run(act())


@queue_app.command("list")
def list_queues(as_json: AsJson = False) -> None:
    """List all queues with their job counts.

    Example: main.py queue list --json
    """

    async def act() -> dict[str, dict[str, int]]:
        async with open_queues() as queues:
            return {name: await _counts(queues, name) for name in await queues.names()}

    counts = run(act())
    if as_json:
        print_json(counts)
    elif not counts:
        say("There are no queues yet.")
    else:
        states = list(next(iter(counts.values())))
        print_table(["queue", *states], [[name, *row.values()] for name, row in counts.items()])


async def _counts(queues: Queues, name: str) -> dict[str, int]:
    async with queues.open_queue(name, must_exist=False) as queue:
        return dict(await queue.get_job_counts())


@queue_app.command()
def counts(queue: Name, as_json: AsJson = False) -> None:
    """Count the jobs in each state.

    Example: main.py queue counts email
    """
    found = dict(_with_queue(queue, lambda opened: opened.get_job_counts()))
    if as_json:
        print_json(found)
    else:
        print_table(["state", "jobs"], list(found.items()))


@queue_app.command()
def add(
    queue: Name,
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's name.")],
    data: Annotated[str, typer.Argument(help="The job's data as JSON; - reads it from standard input.")] = "null",
    *,
    attempts: Annotated[int | None, typer.Option(help="The total number of attempts.")] = None,
    backoff: Annotated[
        int | None,
        typer.Option(parser=milliseconds, metavar="TIME", help="The delay between attempts, doubling: 5s, 1m."),
    ] = None,
    delay: Annotated[
        int | None,
        typer.Option(parser=milliseconds, metavar="TIME", help="The delay before the first attempt: 5s, 1m."),
    ] = None,
    priority: Annotated[
        int | None, typer.Option(help="The priority: 1 runs first, after jobs without a priority.")
    ] = None,
    job_id: Annotated[
        str | None, typer.Option("--id", help="A custom job id; a job with it is added at most once.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Create the queue if it does not exist.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a job.

    Example: main.py queue add email welcome-email '{"email": "user@example.com", "subject": "Hi", "body": "Hello"}'
    """
    payload = json_argument(data)
    options: JobOptions = {}
    if attempts is not None:
        options["attempts"] = attempts
    if backoff is not None:
        options["backoff"] = {"type": "exponential", "delay": backoff}
    if delay is not None:
        options["delay"] = delay
    if priority is not None:
        options["priority"] = priority
    if job_id is not None:
        options["job_id"] = job_id

    async def act() -> Job:
        async with open_queues() as queues:
            known = [] if new else await queues.names()
            if not new and queue not in known:
                error = CommandError.unknown("queue", queue, known)
                raise CommandError(error.message, f"{error.hint} Use --new to create it.")
            async with queues.open_queue(queue, must_exist=False) as opened:
                return await opened.add(job, payload, **options)

    added = run(act())
    if as_json:
        print_json({"queue": queue, "id": added.id, "name": added.name})
    else:
        say(f"Added job {added.id} ({added.name}) to {queue}.")


@queue_app.command()
def pause(queue: Name) -> None:
    """Pause a queue: workers start no further jobs; running ones finish."""
    _with_queue(queue, lambda opened: opened.pause())
    say(f"Paused {queue}.")


@queue_app.command()
def resume(queue: Name) -> None:
    """Resume a paused queue."""
    _with_queue(queue, lambda opened: opened.resume())
    say(f"Resumed {queue}.")


@queue_app.command()
def clean(
    queue: Name,
    state: Annotated[CleanState, typer.Argument(help="The state of the jobs to remove.")] = "completed",
    *,
    grace: Annotated[
        int | None, typer.Option(parser=milliseconds, metavar="TIME", help="Keep jobs younger than this: 30m, 24h, 7d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Remove at most this many; 0 means all.")] = 0,
) -> None:
    """Remove old jobs.

    Example: main.py queue clean email failed --grace 7d
    """
    removed = _with_queue(queue, lambda opened: opened.clean(grace or 0, state, limit=limit))
    say(f"Removed from {queue}, {state}: {len(removed)}.")


@queue_app.command()
def drain(
    queue: Name,
    *,
    delayed: Annotated[bool, typer.Option("--delayed", help="Remove delayed jobs too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove all waiting jobs. Running and finished ones stay."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove all waiting jobs of {queue}?", abort=True)
    _with_queue(queue, lambda opened: opened.drain(delayed))
    say(f"Drained {queue}.")


@queue_app.command()
def retry(
    queue: Name,
    job_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="A job's id; default: all failed jobs.")] = None,
) -> None:
    """Retry failed jobs.

    Example: main.py queue retry email
    """
    retried = _with_queue(queue, lambda opened: _retry(opened, job_id))
    say(f"Run again in {queue}: {retried}.")


@queue_app.command()
def replay(
    queue: Name,
    letter_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A job's id in the dead-letter queue; default: all that wait.")
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="Replay at most this many.")] = 1_000,
    dead_letter: Annotated[
        str | None, typer.Option(metavar="QUEUE", help="The dead-letter queue; default: QUEUE-dead.")
    ] = None,
) -> None:
    """Add jobs from the dead-letter queue to their queue again.

    Example: main.py queue replay email --limit 100
    """
    replayed = _with_queue(queue, lambda opened: opened.dead_letters(dead_letter).replay(letter_id, limit=limit))
    say(f"Replayed to {queue}: {replayed}.")


@queue_app.command()
def cancel(
    queue: Name,
    job_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The jobs' ids.")],
    *,
    reason: Annotated[str | None, typer.Option(help="Why; their failed reason says it.")] = None,
    keep_children: Annotated[bool, typer.Option("--keep-children", help="Leave the jobs below them alone.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove those that do not run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Cancel jobs, also those that a worker is running; they are not tried again.

    Example: main.py queue cancel email 7 8 --reason "sent by mistake"
    """
    found: dict[str, str] = _with_queue(
        queue,
        lambda opened: opened.cancel_many(job_ids, reason, cancel_children=not keep_children, remove=remove),
    )
    if as_json:
        print_json(found)
    else:
        print_table(["job", "outcome"], list(found.items()))
    if "missing" in found.values():
        raise typer.Exit(EXIT_FAILED)


async def _retry(queue: Queue, job_id: str | None) -> int:
    if job_id is not None:
        job = await queue.get_job(job_id)
        if job is None:
            raise CommandError(f"there is no job {job_id!r} in {queue.name}")
        await job.retry()
        return 1
    # Jobs that fail again meanwhile would keep this going for ever: as many as there are now, no more.
    left = (await queue.get_job_counts("failed"))["failed"]
    retried = 0
    while left > 0 and (jobs := await queue.get_jobs("failed", 0, min(left, JOBS_A_PAGE) - 1)):
        for start in range(0, len(jobs), RETRIES_AT_ONCE):
            await asyncio.gather(*(job.retry() for job in jobs[start : start + RETRIES_AT_ONCE]))
        left -= len(jobs)
        retried += len(jobs)
    return retried
