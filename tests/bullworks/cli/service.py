"""A small service for tests of the command line: a worker that writes mails into a folder, and a command."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bullworks.board import BoardModule
from bullworks.bullmq import Job
from bullworks.cli.commands import say
from bullworks.core import command, module
from bullworks.health import HealthModule
from bullworks.settings import Folder, Settings
from bullworks.web import WebModule
from bullworks.workers import BullModule, WorkerHost, processor
from bullworks.workers.history import HistoryModule
from bullworks.workers.presence import PresenceModule


class MailSettings(Settings):
    """Where mails go."""

    mail_outbox_dir: Folder = Field(default=Path("var/outbox"), validate_default=True, description="a folder")
    mail_hangs: Literal["no", "waits", "swallows", "blocks", "in-a-thread"] = Field(
        default="no", description="no, or how a mail never ends"
    )


@processor("email", concurrency=50)
class EmailWorker(WorkerHost):
    """Writes one mail a job."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings

    async def process(self, job: Job) -> Any:
        match self.settings.mail_hangs:
            case "waits":
                await asyncio.Event().wait()
            case "swallows":
                while True:
                    with suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
            case "blocks":
                while True:
                    time.sleep(0.01)
            case "in-a-thread":
                await asyncio.to_thread(threading.Event().wait)
            case "no":
                pass
        await asyncio.to_thread(self._write, job.id, job.data["email"])
        return {"sent": True}

    def _write(self, job_id: str, address: str) -> None:
        self.settings.mail_outbox_dir.mkdir(parents=True, exist_ok=True)
        mail = self.settings.mail_outbox_dir / f"{job_id}.eml"
        # Whoever sees it sees it whole.
        mail.with_suffix(".new").write_text(f"To: {address}\n")
        mail.with_suffix(".new").rename(mail)


def greet(name: str = "world") -> None:
    """Say hello."""
    say(f"Hello, {name}!")


@module(
    imports=[
        BullModule.for_root(queues=("email",)),
        HistoryModule.for_root(),
        PresenceModule.for_root(),
        WebModule.for_root(),
        HealthModule.for_root(),
        BoardModule.for_root(),
    ],
    providers=[EmailWorker, MailSettings, command(greet)],
)
class AppModule:
    """The service."""
