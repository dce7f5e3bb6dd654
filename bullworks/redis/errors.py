"""What can go wrong between this process and Redis. No text here ever holds a password."""

from __future__ import annotations

from typing import Literal

ConnectFailure = Literal[
    "refused", "timeout", "name", "closed", "auth", "acl", "tls", "loading", "database", "service", "failover", "other"
]
"""Why a connection could not be had; `loading` and `failover` heal without anybody doing anything."""


class RedisError(Exception):
    """Base of everything `bullworks.redis` raises."""


class BadUrlError(RedisError, ValueError):
    """A Redis URL cannot be used; `url` is already redacted."""

    def __init__(self, url: str, reason: str, hint: str) -> None:
        super().__init__(url, reason, hint)
        self.url = url
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"Redis URL {self.url}: {self.reason}. {self.hint}"


class UnusableClientError(RedisError, TypeError):
    """A client object was given whose connection settings cannot be read back."""

    def __init__(self, client: str, reason: str) -> None:
        super().__init__(client, reason)
        self.client = client
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot open connections like those of {self.client}: {self.reason}. "
            "Give a URL (redis://host:port/db, redis+sentinel://host:port/service, redis+cluster://host:port) "
            "or a client that redis-py made of plain settings instead."
        )


class ConnectError(RedisError):
    """A connection to Redis could not be made within the connect timeout."""

    def __init__(self, address: str, kind: ConnectFailure, reason: str, hint: str) -> None:
        super().__init__(address, kind, reason, hint)
        self.address = address
        self.kind: ConnectFailure = kind
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"cannot connect to Redis at {self.address}: {self.reason}. {self.hint}"


class ConnectionLostError(RedisError):
    """A working connection broke; whether Redis ran the pending commands is unknown."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"connection to Redis at {self.address} lost: {self.reason}"


class EmbeddedServerError(RedisError):
    """The embedded server of a data folder could not be started or reached."""

    def __init__(self, data_dir: str, reason: str, hint: str) -> None:
        super().__init__(data_dir, reason, hint)
        self.data_dir = data_dir
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"embedded server in {self.data_dir}: {self.reason}. {self.hint}"
