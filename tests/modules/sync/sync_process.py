"""The feature `sync` in a process of its own: `python -m tests.modules.sync.sync_process URL PREFIX`.

It says `ready`, fires the cron once for each line that it reads, as a tick does, and says `done` after each.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from app.core import create_application
from app.modules.sync import SyncModule
from app.schedule import SchedulerRegistry
from app.workers import WorkersModule


async def main(url: str, prefix: str) -> None:
    """Run until there are no more lines."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    root = WorkersModule.for_root(connection=url, prefix=prefix, imports=[SyncModule])
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
