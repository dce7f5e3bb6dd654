"""PresenceModule: the board can say which workers there are, and where."""

from operator import attrgetter
from typing import Any

from bullworks.bullmq import Worker
from bullworks.core import ModuleContainer, Token, dynamic_module, provide
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.presence.heartbeat import BEAT_S, HeartbeatSender
from bullworks.workers.presence.settings import PresenceSettings

_ENABLED: Token[bool] = Token("presence:is_enabled")


class PresenceKeeper:
    """Sends heartbeats for all workers of the process, from the start until they are drained."""

    def __init__(self, fleet: WorkerFleet, heartbeats: HeartbeatSender, *, is_enabled: bool) -> None:
        self._fleet = fleet
        self._heartbeats = heartbeats
        self._is_enabled = is_enabled
        if is_enabled:
            fleet.on_worker(self._watch)

    def on_application_start(self) -> None:
        """Start sending heartbeats."""
        if self._is_enabled:
            self._heartbeats.start()

    async def on_module_destroy(self) -> None:
        """Stop sending heartbeats."""
        await self._heartbeats.close()

    def _watch(self, worker: Worker) -> None:
        queue = self._fleet.queues.get(worker.queue_name)
        if queue is not None:
            self._heartbeats.watch(worker, queue)


class PresenceModule:
    """The heartbeat module: import `for_root()` once, beside `BullModule.for_root()`."""

    @classmethod
    def for_root(cls, *, enabled: bool | None = None, beat_s: float = BEAT_S) -> ModuleContainer:
        """Send heartbeats for this process's workers.

        Args:
            enabled: False: this process tells of no worker; PRESENCE_ENABLED unless given.
            beat_s: between heartbeats.
        """

        def keep(fleet: WorkerFleet, is_enabled: bool) -> PresenceKeeper:  # noqa: FBT001 - the container gives it
            return PresenceKeeper(fleet, HeartbeatSender(beat_s=beat_s), is_enabled=is_enabled)

        return dynamic_module(
            PresenceModule,
            providers=[
                *_switch(enabled),
                provide(PresenceKeeper, use_factory=keep, inject=[WorkerFleet, _ENABLED]),
            ],
            key=(cls, enabled, beat_s),
        )


def _switch(given: bool | None) -> list[Any]:  # noqa: FBT001 - the option's own value
    """Provides what the option says, or PRESENCE_ENABLED where it says nothing."""
    if given is not None:
        return [provide(_ENABLED, use_value=given)]
    return [PresenceSettings, provide(_ENABLED, use_factory=attrgetter("presence_enabled"), inject=[PresenceSettings])]
