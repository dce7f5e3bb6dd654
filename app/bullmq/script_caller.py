"""What every group of scripts shares: whose keys they touch, and over which connection."""

from typing import Any

from app.bullmq.job_wait import EventSource
from app.bullmq.keys import QueueKeys
from app.bullmq.payload_type import PayloadTypes
from app.bullmq.telemetry.tracing import Tracing
from app.redis.pipelined import Argument, PipelinedConnection
from app.redis.script import Script


def load(name: str) -> Script:
    """The engine's script of that name."""
    return Script.load("app.bullmq", name)


class ScriptCaller:
    """Runs scripts of one queue over one connection.

    Args:
        events: what tells the queue's jobs of their end, where somebody shares it among them.
        tracing: of the queue, where it is observed.

    Attributes:
        payload_types: of the queue's jobs, where somebody said; whoever makes them sets it.
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
