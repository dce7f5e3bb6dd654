"""What every group of scripts shares: whose keys they touch, and over which connection."""

from typing import Any

from bullworks.bullmq.events.waiting import EventSource
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.redis import Argument, PipelinedConnection, Script


def load(name: str) -> Script:
    """Load one of the engine's scripts by name."""
    return Script.load("bullworks.bullmq", name)


class ScriptCaller:
    """Runs scripts of one queue over one connection.

    Args:
        events: notifies the queue's jobs of their end, if it is shared among them.
        tracing: of the queue, where it is observed.

    Attributes:
        payload_types: of the queue's jobs, if given; the queue's owner sets it.
    """

    __slots__ = ("connection", "events", "keys", "payload_types", "tracing")

    def __init__(
        self,
        connection: PipelinedConnection,
        keys: QueueKeys,
        events: EventSource | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.connection = connection
        self.keys = keys
        self.events = events
        self.tracing = tracing
        self.payload_types: PayloadTypes | None = None

    async def _run(self, script: Script, *args: Argument) -> Any:
        return await self.connection.run(script, (self.keys.base,), list(args))
