"""What can go wrong between this process and Redis. No text here ever holds a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bullworks.errors import FactError

ConnectFailure = Literal[
    "refused", "timeout", "name", "closed", "auth", "acl", "tls", "loading", "database", "service", "failover", "other"
]
"""Why a connection could not be had; `loading` and `failover` heal without anybody doing anything."""


class RedisError(FactError):
    """Base of everything `bullworks.redis` raises."""


@dataclass(eq=False)
class BadUrlError(RedisError, ValueError):
    """A Redis URL cannot be used; `url` is already redacted."""

    url: str
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"Redis URL {self.url}: {self.reason}. {self.hint}"


@dataclass(eq=False)
class UnusableClientError(RedisError, TypeError):
    """A client object was given whose connection settings cannot be read back."""

    client: str
    reason: str

    def __str__(self) -> str:
        return (
            f"cannot open connections like those of {self.client}: {self.reason}. "
            "Give a URL (redis://host:port/db, redis+sentinel://host:port/service, redis+cluster://host:port) "
            "or a client that redis-py made of plain settings instead."
        )


@dataclass(eq=False)
class ConnectError(RedisError):
    """A connection to Redis could not be made within the connect timeout."""

    address: str
    kind: ConnectFailure
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"cannot connect to Redis at {self.address}: {self.reason}. {self.hint}"


@dataclass(eq=False)
class ConnectionLostError(RedisError):
    """A working connection broke; whether Redis ran the pending commands is unknown."""

    address: str
    reason: str

    def __str__(self) -> str:
        return f"connection to Redis at {self.address} lost: {self.reason}"


@dataclass(eq=False)
class EmbeddedServerError(RedisError):
    """The embedded server of a data folder could not be started or reached."""

    data_dir: str
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"embedded server in {self.data_dir}: {self.reason}. {self.hint}"
