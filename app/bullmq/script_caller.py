"""What every group of scripts shares: whose keys they touch, and over which connection."""

from typing import Any

from app.bullmq.keys import QueueKeys
from app.redis.pipelined import Argument, PipelinedConnection
from app.redis.script import Script


def load(name: str) -> Script:
    """The engine's script of that name."""
    return Script.load("app.bullmq", name)


class ScriptCaller:
    """Runs scripts of one queue over one connection."""

    __slots__ = ("connection", "keys")

    def __init__(self, connection: PipelinedConnection, keys: QueueKeys) -> None:
        self.connection = connection
        self.keys = keys

    async def _run(self, script: Script, *args: Argument) -> Any:
        return await self.connection.run(script, (self.keys.base,), list(args))
