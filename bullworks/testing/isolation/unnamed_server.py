"""UnnamedServer: where the settings say that Redis is, which a test did not name; whoever connects is told so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection

from bullworks.bullmq.flow_producer import ADD_FLOW
from bullworks.redis import Address, Argument, Endpoint, PipelinedConnection, Script, parse_url
from bullworks.testing.errors import UnnamedServerError
from bullworks.testing.isolation.users import ConnectionUsers

# Never connected to; an endpoint must have one.
_ADDRESS = parse_url("redis://127.0.0.1:1/0")
_NAME_A_SERVER = "name a server that it may use, .use_redis(bull_redis.url)"


@dataclass(frozen=True, slots=True, repr=False)
class UnnamedServer(Endpoint):
    """An endpoint that can be handed round; connecting raises UnnamedServerError.

    Args:
        place: the server, and who says so, for the message.
        users: who there is that might connect.
    """

    place: str = ""
    users: ConnectionUsers = field(default_factory=ConnectionUsers)

    @classmethod
    def instead_of(cls, server: Endpoint | Path, said_by: str, users: ConnectionUsers) -> "UnnamedServer":
        """Build the replacement of a server, or of an embedded server's folder."""
        shown = server.describe() if isinstance(server, Endpoint) else f"the embedded server in {server}"
        return cls(_ADDRESS, connect_timeout_ms=1, place=f"{shown} ({said_by})", users=users)

    def describe(self) -> str:
        """Describe the endpoint for messages and reprs."""
        return "no server (the test named none)"

    def refuse(self, wanted: str, *ways: str) -> NoReturn:
        """Refuse a connection by raising UnnamedServerError.

        Args:
            wanted: who would connect.
            ways: what to do about it, besides naming a server.
        """
        raise UnnamedServerError(wanted, self.place, (*ways, _NAME_A_SERVER))

    def refuse_others(self, detail: str = "") -> NoReturn:
        """Refuse with an UnnamedServerError for users other than queues and flow producers."""
        others = self.users.others
        wanted = " or ".join(others) or "whatever uses the connection"
        override = f"override that, .override_provider({others[0] if len(others) == 1 else '...'})"
        self.refuse(f"{wanted} ({detail})" if detail else wanted, override)

    async def locate(self, key: str | bytes | None = None, *, max_age_s: float = 0.0) -> Address:  # noqa: ARG002
        """Refuse to locate a server. Raises UnnamedServerError."""
        self.refuse_others()

    async def primaries(self) -> list[Endpoint]:
        """Refuse to find servers. Raises UnnamedServerError."""
        self.refuse_others()

    async def open(self, **_: Any) -> AbstractConnection:
        """Refuse to connect. Raises UnnamedServerError."""
        self.refuse_others()

    def client(self, **_: Any) -> redis.asyncio.Redis:
        """Refuse to create a client. Raises UnnamedServerError."""
        self.refuse_others()

    def sync_client(self, **_: Any) -> redis.Redis:
        """Refuse to create a blocking client. Raises UnnamedServerError."""
        self.refuse_others()


class UnnamedConnection(PipelinedConnection):
    """The connection of a testing module's queues and flow producers, which refuses to connect.

    Args:
        queue_name: of the queue that it is for; None means any queue.
    """

    def __init__(self, endpoint: UnnamedServer, queue_name: str | None = None) -> None:
        super().__init__(endpoint)
        self._server = endpoint
        self._queue_name = queue_name

    def at(self, key: str) -> "UnnamedConnection":
        """Return the refusing connection of one queue."""
        return UnnamedConnection(self._server, _queue_of(key))

    async def connect(self) -> None:
        """Refuse to connect. Raises UnnamedServerError, which names the queue, or other possible users."""
        self._refuse("")

    def send(self, *command: Argument) -> NoReturn:
        """Refuse a command. Raises UnnamedServerError, which names it."""
        self._refuse(str(command[0]))

    async def execute(self, *command: Argument, key: Argument | None = None) -> Any:  # noqa: ARG002 - as its base
        """Refuse a command. Raises UnnamedServerError, which names it."""
        self._refuse(str(command[0]))

    async def run(self, script: Script, keys: tuple[Argument, ...], args: list[Argument]) -> Any:  # noqa: ARG002
        """Refuse a script. Raises UnnamedServerError, which names it, or the queues of a flow."""
        if script is ADD_FLOW:
            names = dict.fromkeys(_queue_of(str(key)) for key in keys)
            override = "override it, .override_provider(get_flow_producer_token())"
            self._server.refuse(self._server.users.flow_producer(), _on_harnesses(names), override)
        self._refuse(f"the script {script.name}")

    def _refuse(self, detail: str) -> NoReturn:
        name = self._queue_name
        if name is None:
            self._server.refuse_others(detail)
        override = f'override it, .override_provider(get_queue_token("{name}"))'
        self._server.refuse(self._server.users.queue(name), _on_harnesses([name]), override)


def _queue_of(base: str) -> str:
    """The queue whose keys begin so."""
    return base.rstrip(":").rpartition(":")[2]


def _on_harnesses(names: Iterable[str]) -> str:
    calls = "".join(f'.use_harness(QueueHarness("{name}"))' for name in names)
    return f"put what it is for on a harness, {calls}"
