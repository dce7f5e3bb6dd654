"""HistoryRecorder: counts what the workers of this process do, and writes it down every few seconds."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from bullworks.bullmq import Queue, Worker
from bullworks.bullmq.job.outcome import Outcome
from bullworks.redis import PipelinedConnection, RedisError, ServerError
from bullworks.tasks import wait_or_cancel
from bullworks.workers.history.keys import MINUTE_MS, HistoryKeys
from bullworks.workers.history.scripts import oldest_waiting, record
from bullworks.workers.history.tally import Tally

log = logging.getLogger(__name__)

# Between writes: a chart that is a few seconds old is as good, and a killed process loses no more than that.
FLUSH_S = 5.0
# Between looks at how long jobs wait: an hour then has sixty.
_LOOK_S = 60.0
# Answers to a script that has not begun, so that it may be sent again.
_REFUSED_UNREAD = frozenset({"OOM", "READONLY", "LOADING", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "NOPERM"})
# For the last write of a process that ends.
_CLOSE_S = 1.0
# While Redis cannot be reached minutes are kept for it, but not without bound; the oldest go first.
MOST_MINUTES = 60


class QueueRecord:
    """The unwritten counts of one queue's workers in this process.

    Attributes:
        minutes: tallies by minute since the epoch, of Redis's clock.
    """

    def __init__(self, queue: Queue[Any]) -> None:
        self.connection: PipelinedConnection = queue.connection
        self.keys = queue.keys
        self.history_keys = HistoryKeys(queue.keys.prefix)
        self.minutes: dict[int, Tally] = {}
        self._minute = -1
        self._tally = Tally()

    def count(self, outcome: Outcome) -> None:
        """Count an attempt's outcome. Runs for every job, and must not raise."""
        kind = outcome.kind
        try:
            began_ms, waited_ms = outcome.job.timing()
            duration_ms = outcome.duration_ms
            minute = (began_ms + duration_ms) // MINUTE_MS
            tally = self._tally if minute == self._minute else self.at(minute)
            if kind == "complete":
                tally.completed += 1
            elif kind == "fail":
                tally.failed += 1
            elif outcome.error is not None:
                tally.retried += 1
            else:
                return  # handed back: it has not ended
            tally.run.add(duration_ms)
            if waited_ms is not None:
                tally.wait.add(waited_ms)
        except (KeyError, ValueError, OverflowError):
            log.debug("job %s has invalid times, and is not counted", outcome.job.id)

    def at(self, minute: int) -> Tally:
        """Return the tally of a minute, which becomes the current one."""
        tally = self.minutes.get(minute)
        if tally is None:
            tally = self.minutes[minute] = Tally()
            if len(self.minutes) > MOST_MINUTES:
                del self.minutes[min(self.minutes)]
        self._minute, self._tally = minute, tally
        return tally

    def take(self) -> dict[int, Tally]:
        """Take the counts to be written."""
        minutes, self.minutes, self._minute = self.minutes, {}, -1
        return minutes

    def give_back(self, minute: int, tally: Tally) -> None:
        """Put back counts that could not be written."""
        self.at(minute).absorb(tally)


class HistoryRecorder:
    """Writes the history to Redis while it runs; safe to close twice, or unstarted.

    What a write adds is added once: where its reply is lost nobody knows whether it was, so it is not sent again, and a
    few seconds are missing at most.

    Args:
        flush_s: between writes.
    """

    def __init__(self, *, flush_s: float = FLUSH_S) -> None:
        self._records: dict[str, QueueRecord] = {}
        self._flush_s = flush_s
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._look_at_s = 0.0
        self._is_failing = False

    def watch(self, queue: Queue[Any]) -> Callable[[Outcome], None]:
        """Watch a queue's waiting jobs; returns the observer for its workers, see `Worker.measure`."""
        if queue.name not in self._records:
            self._records[queue.name] = QueueRecord(queue)
        return self._records[queue.name].count

    def follow(self, worker: Worker, queue: Queue) -> None:
        """Count how the worker's jobs end."""
        worker.measure(self.watch(queue))

    def start(self, queues: Iterable[Queue] = ()) -> None:
        """Write every few seconds, from now on, also how long jobs of these queues wait."""
        for queue in queues:
            self.watch(queue)
        if self._task is None:
            self._closing.clear()
            self._task = asyncio.create_task(self._run(), name="history")

    async def close(self) -> None:
        """Write what is left, and stop."""
        task, self._task = self._task, None
        if task is None:
            return
        self._closing.set()
        # Not cancelled at once: what a write under way has taken would be lost with it.
        if not await wait_or_cancel((task,), _CLOSE_S):
            log.warning("history: Redis did not take the last seconds in time, they are missing")

    async def flush(self) -> None:
        """Write all counts so far in one trip."""
        # While there is no connection nothing can be lost on it: what is kept is written once there is.
        writes = [
            self._write(each, minute, tally)
            for each in self._records.values()
            if each.connection.is_connected
            for minute, tally in each.take().items()
        ]
        errors = [error for error in await asyncio.gather(*writes) if error is not None]
        if errors and not self._is_failing:
            log.warning("history is not written: %s. Logged once, until writing succeeds", errors[0])
        self._is_failing = bool(errors)

    async def look(self) -> None:
        """Measure how long the oldest job of each queue has waited."""
        await asyncio.gather(*(self._look(each) for each in self._records.values() if each.connection.is_connected))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not await self._closes_within(self._flush_s):
            if loop.time() >= self._look_at_s:
                self._look_at_s = loop.time() + _LOOK_S
                await self.look()
            await self.flush()
        await self.flush()

    async def _closes_within(self, duration_s: float) -> bool:
        try:
            async with asyncio.timeout(duration_s):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True

    async def _write(self, each: QueueRecord, minute: int, tally: Tally) -> RedisError | None:
        try:
            await record(each.connection, each.history_keys, each.keys.name, minute * MINUTE_MS, tally)
        except RedisError as error:
            if isinstance(error, ServerError) and error.code in _REFUSED_UNREAD:
                each.give_back(minute, tally)
            return error
        return None

    async def _look(self, each: QueueRecord) -> None:
        try:
            age_ms, now_ms = await oldest_waiting(each.connection, each.keys.base)
        except RedisError as error:
            log.debug("queue %s: how long its oldest job waits is not known: %s", each.keys.name, error)
            return
        if age_ms is not None:
            tally = each.at(now_ms // MINUTE_MS)
            tally.oldest_ms = max(tally.oldest_ms, age_ms)
