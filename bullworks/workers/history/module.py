"""HistoryModule: the workers of the application are recorded, and what was recorded can be read."""

from bullworks.core import ModuleContainer, Token, dynamic_module, provide
from bullworks.redis import PipelinedConnection
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.fleet_keeper import FleetKeeper, switch
from bullworks.workers.history.reader import RedisHistory
from bullworks.workers.history.recorder import FLUSH_S, HistoryRecorder
from bullworks.workers.history.settings import HistorySettings
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import CONNECTION, SETUP


class HistoryKeeper(FleetKeeper):
    """Records all workers of the process, from their first job to their last."""


_ENABLED: Token[bool] = Token("history:is_enabled")


class HistoryModule:
    """The history module: import `for_root()` once, beside `BullModule.for_root()`; RedisHistory becomes injectable."""

    @classmethod
    def for_root(cls, *, enabled: bool | None = None, flush_s: float = FLUSH_S) -> ModuleContainer:
        """Record this process's workers, and provide the history of the application's queues.

        Args:
            enabled: False means this process records nothing, what others recorded can be read; HISTORY_ENABLED unless
                given.
            flush_s: between writes.
        """

        def keep(fleet: WorkerFleet, is_enabled: bool) -> HistoryKeeper:  # noqa: FBT001 - the container gives it
            return HistoryKeeper(fleet, HistoryRecorder(flush_s=flush_s), is_enabled=is_enabled)

        return dynamic_module(
            HistoryModule,
            providers=[
                *switch(_ENABLED, enabled, HistorySettings, "history_enabled"),
                provide(HistoryKeeper, use_factory=keep, inject=[WorkerFleet, _ENABLED]),
                # lazy: without a reader, and without a real queue, nothing is reached
                provide(RedisHistory, use_factory=_reader, inject=[CONNECTION, SETUP], lazy=True),
            ],
            exports=[RedisHistory],
            is_global=True,
            key=(cls, enabled, flush_s),
        )


def _reader(connection: PipelinedConnection, setup: WorkersSetup) -> RedisHistory:
    return RedisHistory(connection, setup.prefix)
