"""Watchdog: ends a process that was asked to stop and does not."""

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress

log = logging.getLogger(__name__)

# A thread that holds the log's own lock must not hold up the end as well.
_REPORT_S = 2.0
_MOST_TASKS = 20


class Watchdog:
    """A thread that waits for a deadline, logs what still runs, and ends the process with exit code 1.

    A handler may block the event loop, swallow its cancellation, or run in a thread that never returns, for which the
    interpreter would wait for ever.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._deadline_s: float | None = None
        self._changed = threading.Condition()

    def start(self, within_s: float) -> None:
        """End the process in `within_s` seconds, unless an earlier call set a sooner deadline. From any thread."""
        deadline_s = time.monotonic() + within_s
        with self._changed:
            is_first = self._deadline_s is None
            self._deadline_s = deadline_s if self._deadline_s is None else min(self._deadline_s, deadline_s)
            self._changed.notify()
        if is_first:
            threading.Thread(target=self._watch, name="shutdown-watchdog", daemon=True).start()

    def _watch(self) -> None:
        with self._changed:
            while self._deadline_s is not None and (left_s := self._deadline_s - time.monotonic()) > 0:
                self._changed.wait(left_s)
        report = threading.Thread(target=self._report, name="shutdown-report", daemon=True)
        report.start()
        report.join(_REPORT_S)
        os._exit(1)

    def _report(self) -> None:
        text = "\n".join([*_stacks(), *_tasks(self._loop)])
        log.critical("the process was asked to stop and exceeded its grace time; it is terminated\n%s", text)


def _stacks() -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the only way to see other threads
        name = names.get(ident, str(ident))
        if not name.startswith("shutdown-"):
            yield f"thread {name}:\n{''.join(traceback.format_stack(frame)).rstrip()}"


def _tasks(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    with suppress(RuntimeError):  # tasks come and go meanwhile
        for task in [task for task in asyncio.all_tasks(loop) if not task.done()][:_MOST_TASKS]:
            yield f"task {task.get_name()}: {task.get_coro()}"
