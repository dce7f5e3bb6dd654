"""HeartbeatSender: reports to Redis every few seconds which workers this process has."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from typing import Any

from bullworks.bullmq import Queue, Worker
from bullworks.redis import RedisError
from bullworks.tasks import wait_or_cancel
from bullworks.workers.presence.keys import PresenceKeys
from bullworks.workers.presence.records import WorkerRecord
from bullworks.workers.presence.scripts import beat, forget

log = logging.getLogger(__name__)

BEAT_S = 10.0
"""Between heartbeats: one write for all workers of the process."""

# For the last write of a process that ends; what is not removed then is forgotten by itself.
_CLOSE_S = 1.0


class HeartbeatSender:
    """Sends heartbeats while it runs; safe to close twice, or unstarted. Without Redis only heartbeats are lost.

    Args:
        beat_s: between heartbeats.
    """

    def __init__(self, *, beat_s: float = BEAT_S) -> None:
        self._workers: dict[Worker[Any, Any], tuple[Queue[Any], int]] = {}
        self._beat_s = beat_s
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._is_closing = False
        self._is_failing = False

    def follow(self, worker: Worker, queue: Queue) -> None:
        """Include a worker in the heartbeats while it runs."""
        self._workers[worker] = (queue, time.time_ns() // 1_000_000)
        worker.once("ready", self._wake.set)  # it is reported at once, not after the next pause

    def start(self, queues: Iterable[Queue] = ()) -> None:  # noqa: ARG002 - it reports workers only
        """Start sending heartbeats."""
        if self._task is None:
            self._is_closing = False
            self._task = asyncio.create_task(self._run(), name="workers-heartbeats")

    async def close(self) -> None:
        """Stop sending heartbeats, and remove this process's workers from Redis."""
        task, self._task = self._task, None
        if task is None:
            return
        self._is_closing = True
        self._wake.set()
        await wait_or_cancel((task,), _CLOSE_S)
        self._workers.clear()

    async def beat(self) -> None:
        """Send one heartbeat for all workers, in one trip."""
        writes = []
        for queue, workers in self._by_queue().items():
            records = [WorkerRecord.of(each, since_ms) for each, since_ms in workers if each.is_running]
            # While there is no connection nothing is sent: it would wait, and be old once it is.
            if records and queue.connection.is_connected:
                writes.append(beat(queue.connection, _keys_of(queue), records))
        await self._settle(writes, "workers are missing on the board")

    async def _run(self) -> None:
        while not self._is_closing:
            self._wake.clear()
            await self.beat()
            try:
                async with asyncio.timeout(self._beat_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
        await self._settle(
            [
                forget(queue.connection, _keys_of(queue), [worker.id for worker, _ in workers])
                for queue, workers in self._by_queue().items()
                if queue.connection.is_connected
            ],
            "workers that ended are on the board for some seconds more",
        )

    def _by_queue(self) -> dict[Queue[Any], list[tuple[Worker[Any, Any], int]]]:
        found: dict[Queue[Any], list[tuple[Worker[Any, Any], int]]] = {}
        for worker, (queue, since_ms) in self._workers.items():
            found.setdefault(queue, []).append((worker, since_ms))
        return found

    async def _settle(self, writes: list[Coroutine[Any, Any, None]], consequence: str) -> None:
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in errors:
            if not isinstance(error, RedisError):
                raise error
        if errors and not self._is_failing:
            log.warning("%s: %s. Logged once, until it succeeds again", consequence, errors[0])
        self._is_failing = bool(errors)


def _keys_of(queue: Queue[Any]) -> PresenceKeys:
    return PresenceKeys(queue.keys.prefix, queue.name)
