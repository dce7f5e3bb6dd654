"""Reloader: keeps a process of the service up, and starts it again when the project's code changes."""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from bullworks.cli.life_line import LIFE_LINE_OPTION
from bullworks.cli.worker_process import MARGIN_S
from bullworks.core import SignalHandlers
from bullworks.core.shutdown import stop_signals
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# Who has changed the code waits for it; jobs that take longer are handed back and run again, with the new code.
JOBS_MAY_RUN_S = 2.0
# Several files are saved together: by an editor, a formatter, a checkout.
_GATHER_MS = 300


class CodeFilter(DefaultFilter):
    """Lets changes of Python files and of `.env` through; not those in environments and caches."""

    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path).name
        return (name == ".env" or name.endswith(".py")) and super().__call__(change, path)


class Reloader:
    """Runs a command until a signal, and again after each change in a folder.

    A process that has ended by itself, because its code cannot be imported for example, is started again with the
    next change.

    Args:
        command: starts the service, in the foreground.
        folder: the project's.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal has ended the process in order."""
        handlers = SignalHandlers()
        handlers.install(stop_signals(), self._on_signal)
        log.info("watching .py files and .env in %s", self._folder)
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(), name="reloader-watch")
                while not self._stopping.is_set():
                    await self._run_one()
                watching.cancel()
        finally:
            handlers.restore()

    async def _run_one(self) -> None:
        """Run one process until the next change, or until a signal."""
        self._changed.clear()  # before it reads its code: what changes from now on may not be in it
        reading, writing = os.pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                LIFE_LINE_OPTION,
                str(reading),
                pass_fds=(reading,),
                start_new_session=True,  # Ctrl-C on a terminal reaches the reloader alone, which ends it in order
            )
            await self._until_changed(child)
            await _end(child)
        finally:
            os.close(reading)
            os.close(writing)

    async def _until_changed(self, child: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(child.wait(), name="reloader-child")
        changed = asyncio.create_task(self._changed.wait(), name="reloader-changed")
        try:
            await asyncio.wait((ended, changed), return_when=asyncio.FIRST_COMPLETED)
            if not changed.done():
                log.warning("the service ended, exit code %d; waiting for a change", ended.result())
                await changed
        finally:
            await cancel_and_wait(ended, changed)

    async def _watch(self) -> None:
        async for changes in awatch(self._folder, watch_filter=CodeFilter(), debounce=_GATHER_MS):
            names = sorted({str(Path(path).relative_to(self._folder)) for _, path in changes})
            log.info("%s changed, starting again", ", ".join(names))
            self._changed.set()

    def _on_signal(self, name: str) -> None:
        log.info("%s received, closing", name)
        self._stopping.set()
        self._changed.set()


async def _end(child: asyncio.subprocess.Process) -> None:
    """Let a process close in order: jobs may end, then are handed back; kill it if it is stuck."""
    for patience_s in (JOBS_MAY_RUN_S, MARGIN_S):
        if child.returncode is not None:
            return
        child.send_signal(signal.SIGTERM)  # the second one forces
        try:
            async with asyncio.timeout(patience_s):
                await child.wait()
        except TimeoutError:
            continue
    if child.returncode is None:
        log.error("the service did not end and was killed; its jobs stall and are run again")
        child.kill()
        await child.wait()
