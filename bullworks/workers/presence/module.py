"""PresenceModule: the board can say which workers there are, and where."""

from bullworks.core import ModuleContainer, Token, dynamic_module, provide
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.fleet_keeper import FleetKeeper, switch
from bullworks.workers.presence.heartbeat import BEAT_S, HeartbeatSender
from bullworks.workers.presence.settings import PresenceSettings

_ENABLED: Token[bool] = Token("presence:is_enabled")


class PresenceKeeper(FleetKeeper):
    """Sends heartbeats for all workers of the process."""


class PresenceModule:
    """The heartbeat module: import `for_root()` once, beside `BullModule.for_root()`."""

    @classmethod
    def for_root(cls, *, enabled: bool | None = None, beat_s: float = BEAT_S) -> ModuleContainer:
        """Send heartbeats for this process's workers.

        Args:
            enabled: False means this process sends no heartbeats; PRESENCE_ENABLED unless given.
            beat_s: between heartbeats.
        """

        def keep(fleet: WorkerFleet, is_enabled: bool) -> PresenceKeeper:  # noqa: FBT001 - the container gives it
            return PresenceKeeper(fleet, HeartbeatSender(beat_s=beat_s), is_enabled=is_enabled)

        return dynamic_module(
            PresenceModule,
            providers=[
                *switch(_ENABLED, enabled, PresenceSettings, "presence_enabled"),
                provide(PresenceKeeper, use_factory=keep, inject=[WorkerFleet, _ENABLED]),
            ],
            key=(cls, enabled, beat_s),
        )
