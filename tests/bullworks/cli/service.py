"""A small service for tests of the command line: a worker that writes mails into a folder, crons, a command.

As a program, `python tests/bullworks/cli/service.py ...`, it is what `main.py` is to a service.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)

from pydantic import Field  # noqa: E402

from bullworks.board import BoardModule  # noqa: E402
from bullworks.bullmq import Job  # noqa: E402
from bullworks.cli import main, say  # noqa: E402
from bullworks.core import command, module  # noqa: E402
from bullworks.health import HealthModule  # noqa: E402
from bullworks.settings import Folder, Settings  # noqa: E402
from bullworks.web import WebModule  # noqa: E402
from bullworks.workers import BullModule, WorkerHost, processor  # noqa: E402
from bullworks.workers.history import HistoryModule  # noqa: E402
from bullworks.workers.presence import PresenceModule  # noqa: E402


class MailSettings(Settings):
    """Where mails go."""

    mail_outbox_dir: Folder = Field(default=Path("var/outbox"), validate_default=True, description="a folder")
    mail_hangs: bool = Field(default=False, description="true, or false: no mail ever ends")


@processor("email", concurrency=50)
class EmailWorker(WorkerHost):
    """Writes one mail a job."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings

    async def process(self, job: Job) -> Any:
        if self.settings.mail_hangs:
            await asyncio.Event().wait()
        await asyncio.to_thread(self._write, job.id, job.data["email"])
        return {"sent": True}

    def _write(self, job_id: str, address: str) -> None:
        self.settings.mail_outbox_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.mail_outbox_dir / f"{job_id}.eml").write_text(f"To: {address}\n")


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


if __name__ == "__main__":
    main("tests.bullworks.cli.service:AppModule")
