"""The feature `sync` in a process of its own: `python -m tests.app.integration.sync_process URL PREFIX`.

It says `ready`, fires the cron once for each line that it reads, as a tick does, and says `done` after each.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from app.modules.sync import SyncModule
from app.workers.sync_worker import SyncWorker
from bullworks.core import create_application
from bullworks.schedule import SchedulerRegistry
from bullworks.workers import BullModule


async def main(url: str, prefix: str) -> None:
    """Run until there are no more lines."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    root = BullModule.for_root(
        connection=url, prefix=prefix, queues=("sync",), imports=[SyncModule], providers=[SyncWorker]
    )
    async with await create_application(root) as application:
        job = application.get(SchedulerRegistry).get_cron_job("SyncWorker.sync_data")
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            await job.fire_on_tick()
            say("done")


def say(line: str) -> None:
    """Print a line, now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
