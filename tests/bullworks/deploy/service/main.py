"""The service of the rehearsal: `python main.py worker`, as its manifest says, with the payloads of VERSION 1 or 2."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from bullworks.board import BoardModule
from bullworks.bullmq import Job, payload
from bullworks.cli import main
from bullworks.core import module
from bullworks.health import HealthModule
from bullworks.web import WebModule
from bullworks.workers import BullModule, WorkerHost, processor

if os.environ["VERSION"] == "1":

    class Order(BaseModel):
        """An order as it was before."""

        number: int
        work_s: float = 0.1

else:

    def name_work(data: dict[str, Any]) -> dict[str, Any]:
        """What had no name before."""
        return {**data, "label": f"order {data['number']}"}

    @payload(version=2, upcasters={1: name_work})
    class Order(BaseModel):  # type: ignore[no-redef]
        """An order as it is now."""

        number: int
        label: str
        work_s: float = 0.1


@processor("email", concurrency=10)
class OrderWorker(WorkerHost[Order, str]):
    """Works for as long as the order says; the first version works for ever where it says 0."""

    async def process(self, job: Job[Order]) -> str:
        if job.data.work_s == 0 and os.environ["VERSION"] == "1":
            await asyncio.Event().wait()
        await asyncio.sleep(job.data.work_s)
        return os.environ["VERSION"]


@module(
    imports=[
        BullModule.for_root(queues=["email"]),
        WebModule.for_root(),
        HealthModule.for_root(),
        BoardModule.for_root(),
    ],
    providers=[OrderWorker],
)
class AppModule:
    """The service."""


if __name__ == "__main__":
    main(AppModule)
