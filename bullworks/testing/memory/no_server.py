"""A connection without a server: whatever would go to Redis is refused, and the error names it."""

from dataclasses import dataclass
from typing import Any, NoReturn

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection

from bullworks.redis import Argument, Endpoint, PipelinedConnection, Script, parse_url
from bullworks.testing.errors import NotSimulatedError

_BETTER_NAMES = {"upsert_scheduler": "job schedulers (repeat=, upsert_job_scheduler)"}

# Never connected to; an endpoint must have one.
_ADDRESS = parse_url("redis://127.0.0.1:1/0")


@dataclass(frozen=True, slots=True)
class NoServerEndpoint(Endpoint):
    """The endpoint of a harness's queue, which has no server."""

    queue_name: str = ""

    def describe(self) -> str:
        """Describe the endpoint for messages and reprs."""
        return "no server (QueueHarness)"

    async def open(self, **_: Any) -> AbstractConnection:
        """Refuse to connect. Raises NotSimulatedError."""
        raise self._refusal()

    def client(self, **_: Any) -> redis.asyncio.Redis:
        """Refuse to create a client. Raises NotSimulatedError."""
        raise self._refusal()

    def sync_client(self, **_: Any) -> redis.Redis:
        """Refuse to create a blocking client. Raises NotSimulatedError."""
        raise self._refusal()

    def _refusal(self) -> NotSimulatedError:
        return NotSimulatedError(self.queue_name, "a connection to Redis")


class NoServerConnection(PipelinedConnection):
    """The connection of a harness's queue, which refuses what no harness simulates."""

    def __init__(self, queue_name: str) -> None:
        super().__init__(NoServerEndpoint(_ADDRESS, connect_timeout_ms=1, queue_name=queue_name))
        self._queue_name = queue_name

    async def connect(self) -> None:
        """Do nothing: a harness's queue is always ready."""

    def send(self, *command: Argument, **_: Any) -> NoReturn:
        """Refuse a command. Raises NotSimulatedError, which names it."""
        raise NotSimulatedError(self._queue_name, f"the Redis command {command[0]!r}")

    async def execute(self, *command: Argument, **_: Any) -> Any:
        """Refuse a command. Raises NotSimulatedError, which names it."""
        self.send(*command)

    async def run(self, script: Script, keys: tuple[Argument, ...], args: list[Argument]) -> Any:  # noqa: ARG002
        """Refuse a script. Raises NotSimulatedError, which names it."""
        raise NotSimulatedError(self._queue_name, _BETTER_NAMES.get(script.name, script.name))
