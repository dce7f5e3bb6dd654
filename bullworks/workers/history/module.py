"""HistoryModule: the workers of the application are recorded, and what was recorded can be read."""

from operator import attrgetter
from typing import Any

from bullworks.bullmq import Worker
from bullworks.core import ModuleContainer, Token, dynamic_module, provide
from bullworks.redis import PipelinedConnection
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.history.reader import RedisHistory
from bullworks.workers.history.recorder import FLUSH_S, HistoryRecorder
from bullworks.workers.history.settings import HistorySettings
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import CONNECTION, SETUP


class HistoryKeeper:
    """Records all workers of the process, from their first job to their last.

    What is left is written once workers are drained, while queues are still open.
    """

    def __init__(self, fleet: WorkerFleet, recorder: HistoryRecorder, *, is_enabled: bool) -> None:
        self._fleet = fleet
        self._recorder = recorder
        self._is_enabled = is_enabled
        if is_enabled:
            fleet.on_worker(self._measure)

    def on_application_start(self) -> None:
        """Start measuring waits in all queues, and writing."""
        if self._is_enabled:
            for queue in self._fleet.queues.values():
                self._recorder.watch(queue)
            self._recorder.start()

    async def on_module_destroy(self) -> None:
        """Write what is left."""
        await self._recorder.close()

    def _measure(self, worker: Worker) -> None:
        queue = self._fleet.queues.get(worker.queue_name)
        if queue is not None:
            worker.measure(self._recorder.watch(queue))


_ENABLED: Token[bool] = Token("history:is_enabled")


class HistoryModule:
    """The history module: import `for_root()` once, beside `BullModule.for_root()`; RedisHistory becomes injectable."""

    @classmethod
    def for_root(cls, *, enabled: bool | None = None, flush_s: float = FLUSH_S) -> ModuleContainer:
        """Record this process's workers, and provide the history of the application's queues.

        Args:
            enabled: False: this process records nothing, what others recorded can be read; HISTORY_ENABLED unless
                given.
            flush_s: between writes.
        """

        def keep(fleet: WorkerFleet, is_enabled: bool) -> HistoryKeeper:  # noqa: FBT001 - the container gives it
            return HistoryKeeper(fleet, HistoryRecorder(flush_s=flush_s), is_enabled=is_enabled)

        return dynamic_module(
            HistoryModule,
            providers=[
                *_switch(enabled),
                provide(HistoryKeeper, use_factory=keep, inject=[WorkerFleet, _ENABLED]),
                # lazy: where nobody reads, and no queue is real, nothing is reached
                provide(RedisHistory, use_factory=_reader, inject=[CONNECTION, SETUP], lazy=True),
            ],
            exports=[RedisHistory],
            is_global=True,
            key=(cls, enabled, flush_s),
        )


def _reader(connection: PipelinedConnection, setup: WorkersSetup) -> RedisHistory:
    return RedisHistory(connection, setup.prefix)


def _switch(given: bool | None) -> list[Any]:  # noqa: FBT001 - the option's own value
    """Provides what the option says, or HISTORY_ENABLED where it says nothing."""
    if given is not None:
        return [provide(_ENABLED, use_value=given)]
    return [HistorySettings, provide(_ENABLED, use_factory=attrgetter("history_enabled"), inject=[HistorySettings])]
