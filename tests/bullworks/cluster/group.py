"""What tests need of a group of servers, whichever kind it is."""

from __future__ import annotations

import time
from typing import Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.bullworks.servers import HOST, RedisServer

PASSWORD = "hunter2"
"""Of all servers; no message may show it."""
DOWN_AFTER_MS = 1_000
"""How long a server must be silent before the others count it as down."""


class ServerGroup(Protocol):
    """Servers of which one has a prefix's keys now."""

    @property
    def url(self) -> str: ...

    def primary(self, prefix: str) -> RedisServer: ...

    def heal(self) -> None: ...


def client_of(server: RedisServer) -> redis.Redis:
    """A plain client to look at the data with; close it."""
    return redis.Redis(host=HOST, port=server.port, password=PASSWORD, socket_timeout=5, protocol=2)


# Who polls asks again; a frozen server would keep redis-py's own tries busy for a minute.
ONE_TRY = Retry(NoBackoff(), 0)
ANSWER_S = 1.0


def role_of(server: RedisServer) -> dict[str, str]:
    """INFO replication; empty where the server does not answer within a second."""
    if not server.is_running():
        return {}
    try:
        with redis.Redis(
            host=HOST, port=server.port, password=PASSWORD, socket_timeout=ANSWER_S, retry=ONE_TRY, protocol=2
        ) as client:
            return {str(name): str(value) for name, value in client.info("replication").items()}
    except redis.RedisError:
        return {}


class Failover:
    """Times how long it takes from a kill."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()

    @property
    def took_s(self) -> float:
        """Until now."""
        return time.monotonic() - self._begun_s
