"""A process with one distributed cron that writes each start of a run into a file; `fleet.py` starts it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path

from bullworks.core import create_application, dynamic_module
from bullworks.schedule import ScheduleModule, cron

# Long enough to be killed in.
RUN_S = 0.4


def worker_class(name: str, ledger: Path) -> type:
    """A class with a cron of that name."""

    class TickingWorker:
        @cron("* * * * * *", name=name, distributed=True)
        async def tick(self) -> None:
            # One write, which the kernel appends whole. Ticks are a second apart and at most 250 ms late.
            line = f"{time.time() // 1:.0f} {os.getpid()}\n".encode()
            file = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, line)
            os.close(file)
            await asyncio.sleep(RUN_S)

    return TickingWorker


async def main(name: str, url: str, ledger: Path) -> None:
    class Root: ...

    root = dynamic_module(
        Root, imports=[ScheduleModule.for_root(connection=url)], providers=[worker_class(name, ledger)]
    )
    async with await create_application(root) as application:
        application.enable_shutdown_hooks()
        sys.stdout.write("ticking\n")
        sys.stdout.flush()
        await application.wait_for_shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
