"""Background: the one shape of a long-lived task: started, watched, cancelled and awaited by its owner."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bullworks.errors import FactError
from bullworks.redis.pace import Pace

log = logging.getLogger(__name__)

# A task that lived for so long had work to do, and what ended it is a new fault.
_SETTLED_S = 10.0
# With a pause of up to 1 s between starts, a fault of some seconds is outlived.
_MOST_STARTS = 10


@dataclass(eq=False)
class BackgroundEndedError(FactError):
    """A long-lived task ended by itself over and over, so it is not started again."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ended {_MOST_STARTS} times in a row, at last with: {self.reason}"


class Background:
    """Runs a coroutine function in a task of its own until `close`.

    The function is not meant to return. Where it does, raises, or has its task cancelled by someone else, that is
    logged as an error and it is started again, after a pause that grows. Not where the event loop ends, which cancels
    all tasks.

    Args:
        name: of the task, as it is logged.
        run: what it runs, from the beginning with each start.
        on_given_up: called in place of another start once it has ended ten times in a row; None: it is never given up.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], Coroutine[Any, Any, None]],
        *,
        on_given_up: Callable[[BackgroundEndedError], None] | None = None,
    ) -> None:
        self.name = name
        self.task: asyncio.Task[None] | None = None
        self._run = run
        self._on_given_up = on_given_up
        self._pace = Pace(log, f"{name} ended and is started again", level=logging.ERROR)
        self._is_wanted = False
        self._again: asyncio.TimerHandle | None = None
        self._started_s = 0.0
        self._endings = 0

    @property
    def is_running(self) -> bool:
        """Whether the task was started and not closed; also true while it waits to be restarted."""
        return self._is_wanted

    def start(self) -> None:
        """Start the task; a second call does nothing."""
        if not self._is_wanted:
            self._is_wanted = True
            _LoopWatch.of(asyncio.get_running_loop()).users += 1
            self._begin()

    def cancel(self) -> None:
        """Ask the task to end and not to restart; `close` waits for that."""
        if not self._is_wanted:
            return
        self._is_wanted = False
        _LoopWatch.of(asyncio.get_running_loop()).leave()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.task is not None:
            self.task.cancel()

    async def close(self, patience_s: float | None = None) -> bool:
        """End the task and wait for it. Closing twice, or before starting, is fine.

        Args:
            patience_s: how long to wait for a task that may ignore its cancellation; None means until it has ended.

        Returns:
            False means it has not ended in that time.
        """
        self.cancel()
        task = self.task
        if task is None or task is asyncio.current_task():
            return True
        done, _ = await asyncio.wait((task,), timeout=patience_s)
        if done and self.task is task:
            self.task = None
        return bool(done)

    def _begin(self) -> None:
        self._again = None
        loop = asyncio.get_running_loop()
        self._started_s = loop.time()
        self.task = loop.create_task(self._run(), name=self.name)
        self.task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if not self._is_wanted or task is not self.task:
            return
        loop = task.get_loop()
        if is_ending(loop):
            return
        if loop.time() - self._started_s > _SETTLED_S:
            self._endings = 0
            self._pace.reset()
        self._endings += 1
        reason = error or RuntimeError("its task was cancelled" if task.cancelled() else "it returned")
        if self._on_given_up is not None and self._endings >= _MOST_STARTS:
            self._is_wanted = False
            _LoopWatch.of(loop).leave()
            given_up = BackgroundEndedError(self.name, str(reason) or type(reason).__name__)
            log.error("%s", given_up, exc_info=error)
            self._on_given_up(given_up)
            return
        self._again = loop.call_later(self._pace.next_s(reason), self._begin)


def is_ending(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop cancels all its tasks, as `asyncio.run` does at its end; known while a Background runs in it."""
    watch = _WATCHES.get(loop)
    return loop.is_closed() or (watch is not None and watch.is_ending)


class _LoopWatch:
    """A task that is only cancelled by a loop that ends, so that a task which was cancelled alone is known as such."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.users = 0
        self._loop = loop
        self._task = loop.create_task(_sleep_for_ever(), name="background-loop-watch")

    @staticmethod
    def of(loop: asyncio.AbstractEventLoop) -> "_LoopWatch":
        watch = _WATCHES.get(loop)
        if watch is None:
            for other in [other for other in _WATCHES if other.is_closed()]:
                _WATCHES.pop(other, None)
            watch = _WATCHES[loop] = _LoopWatch(loop)
        return watch

    @property
    def is_ending(self) -> bool:
        return self._task.done() or self._task.cancelling() > 0

    def leave(self) -> None:
        """One user less; the last one ends it."""
        self.users -= 1
        if self.users <= 0 and _WATCHES.pop(self._loop, None) is not None:
            self._task.cancel()


_WATCHES: dict[asyncio.AbstractEventLoop, _LoopWatch] = {}


async def _sleep_for_ever() -> None:
    await asyncio.get_running_loop().create_future()
