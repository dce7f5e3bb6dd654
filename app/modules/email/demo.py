"""`main.py demo`: welcome mails on their whole way, to watch."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.modules.email.flaky_mail import FlakyMail
from app.modules.email.mail_service import MailService
from app.modules.email.settings import MailSettings
from bullworks import logs
from bullworks.bullmq import JobSpec, Queue
from bullworks.cli.commands import EXIT_FAILED, Program, run, say
from bullworks.logs import LogSettings
from bullworks.workers import get_queue_token

# Keys of its own on a server of its own, and nothing runs besides EmailWorker: the service's queues stay as they are.
_ALONE: dict[str, str | None] = {
    "APP_ENV": None,
    "QUEUE_REDIS_URL": None,
    "QUEUE_PREFIX": "demo",
    "WORKERS_ENABLED": "true",
    "ENABLED_WORKERS": "email",
    "HTTP_SERVE": "never",
    "HISTORY_ENABLED": "false",
    "PRESENCE_ENABLED": "false",
    "SMTP_URL": None,
    "LOG_LEVEL": "ERROR",
}
LOOK_EVERY_S = 0.1
SAY_EVERY_S = 1.0  # a line at this pace where there is no terminal for a bar
BACKOFF_MS = 500
LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a demo run."""

    sent: int
    failed: int
    retried: int
    attempts: int
    seconds: float


def demo(
    mails: Annotated[int, typer.Option(min=1, max=100_000, help="How many mails to send.")] = 200,
    fail_every: Annotated[int, typer.Option(min=0, help="The first try of every n-th mail fails; 0 means none.")] = 9,
) -> None:
    """Send welcome mails through queue, worker and retries on the embedded server, and watch.

    The mails become .eml files in an outbox folder; nothing leaves this machine.

    Example: main.py demo --mails 1000
    """
    program = Program.current()
    folder = program.settings[MailSettings].mail_outbox_dir / "demo"
    outcome = run(_demo(program.over(_ALONE | {"MAIL_OUTBOX_DIR": str(folder)}), mails, fail_every))
    rate = outcome.sent / outcome.seconds
    say(f"{outcome.sent} of {mails} mails sent in {outcome.seconds:.1f} s, {rate:.0f} a second.")
    say(f"{outcome.retried} failed at first and were tried again: {outcome.attempts} attempts in all.")
    say(f"The mails are in {folder}")
    if outcome.sent != mails or outcome.failed:
        say(f"{outcome.failed} mails failed for good.")
        raise typer.Exit(EXIT_FAILED)


async def _demo(program: Program, mails: int, fail_every: int) -> Outcome:
    """The whole service on the embedded server, with a mail service that fails now and then."""
    settings = program.settings[MailSettings]
    # Failing attempts are part of the show: their log lines would hide the rest of it.
    logs.configure(program.settings[LogSettings])
    logging.captureWarnings(capture=True)
    await asyncio.to_thread(_empty, settings.mail_outbox_dir)
    flaky = FlakyMail(settings, fail_every=fail_every)
    application = program.application()
    application.provider_of(MailService).override(flaky)
    async with await application:
        queue = application.get(get_queue_token("email"))
        await _clear(queue)
        began = time.monotonic()
        await queue.add_bulk([_welcome(number) for number in range(1, mails + 1)])
        sent, failed = await _watch(queue, mails, flaky)
        seconds = time.monotonic() - began
        await _clear(queue)
    return Outcome(sent, failed, flaky.failures, flaky.attempts, seconds)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for mail in folder.glob("*.eml"):
        mail.unlink()


async def _clear(queue: Queue) -> None:
    """What an interrupted demo left."""
    await queue.drain(delayed=True)
    for state in ("completed", "failed"):
        await queue.clean(0, state)


def _welcome(number: int) -> JobSpec:
    return JobSpec(
        "welcome-email",
        {
            "email": f"user{number}@example.com",
            "subject": "Welcome!",
            "body": f"Thank you for registering, user {number}.",
        },
        attempts=3,
        backoff={"type": "exponential", "delay": BACKOFF_MS},
    )


async def _watch(queue: Queue, mails: int, flaky: FlakyMail) -> tuple[int, int]:
    """Show how it goes until every mail has ended; what is sent and what has failed for good."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return await _follow(queue, mails, _plain_lines(console, mails, flaky))
    columns = (
        TextColumn("[bold]welcome mails"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[retried]} retried"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("mails", total=mails, retried=0)
        return await _follow(queue, mails, lambda ended: progress.update(bar, completed=ended, retried=flaky.failures))


def _plain_lines(console: Console, mails: int, flaky: FlakyMail) -> Callable[[int], None]:
    said_at = -SAY_EVERY_S

    def show(ended: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SAY_EVERY_S:
            said_at = time.monotonic()
            console.print(f"{ended} of {mails} mails, {flaky.failures} retried", highlight=False)

    return show


async def _follow(queue: Queue, mails: int, show: Callable[[int], None]) -> tuple[int, int]:
    async with asyncio.timeout(LONGEST_S + mails * 0.01):
        while True:
            counts = await queue.get_job_counts("completed", "failed")
            sent, failed = counts["completed"], counts["failed"]
            show(sent + failed)
            if sent + failed >= mails:
                return sent, failed
            await asyncio.sleep(LOOK_EVERY_S)
