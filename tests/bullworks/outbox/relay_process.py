"""A relay in a process of its own, to be killed: `python -m tests.bullworks.outbox.relay_process DB REDIS PREFIX`."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy.ext.asyncio import create_async_engine

from bullworks.bullmq import Queue
from bullworks.outbox import Outbox


async def main(database: str, redis: str, prefix: str) -> None:
    """Move rows until the end."""
    async with (
        Queue("mail", connection=redis, prefix=prefix) as queue,
        Outbox(create_async_engine(database), [queue]) as outbox,
    ):
        outbox.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
