"""The settings that lead to one Redis server, however they were given. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from redis.credentials import CredentialProvider

Transport = Literal["tcp", "tls", "unix"]

_SCHEMES: Mapping[Transport, str] = {"tcp": "redis", "tls": "rediss", "unix": "unix"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's address and login; its repr shows no secret."""

    transport: Transport
    host: str = "localhost"
    port: int = 6379
    path: str = ""  # of the socket, with transport "unix"
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    credentials: CredentialProvider | None = field(default=None, repr=False)
    connect_timeout_ms: int | None = None  # None: the caller's default
    # Out of the hash, since redis-py takes lists and dicts here; equality compares them.
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False, hash=False)
    """redis-py's own keyword arguments: `ssl_*`, `socket_keepalive`, `socket_type`."""

    @property
    def place(self) -> str:
        """The address without login, for error messages: `host:port`, or the socket's path."""
        if self.transport == "unix":
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def at(self, host: str, port: int) -> Address:
        """Copy the login to another server's address."""
        return replace(self, host=host, port=port)

    def describe(self) -> str:
        """Format the address as a URL in which `***` stands for the password."""
        tail = f"?db={self.db}" if self.transport == "unix" else f"/{self.db}"
        return f"{_SCHEMES[self.transport]}://{self.login}{self.place}{tail}"

    @property
    def login(self) -> str:
        """Format the login as in URLs, `user:***@`; empty if there is none."""
        user = quote(self.username or "", safe="")
        secret = ":***" if self.password or self.credentials else ""
        return f"{user}{secret}@" if user or secret else ""

    def connection_arguments(self) -> dict[str, Any]:
        """Build the keyword arguments of redis-py's connection class, sync or async."""
        login: dict[str, Any] = (
            {"credential_provider": self.credentials}
            if self.credentials is not None
            else {"username": self.username, "password": self.password}
        )
        target: dict[str, Any] = (
            {"path": self.path} if self.transport == "unix" else {"host": self.host, "port": self.port}
        )
        return {**target, "db": self.db, **login, **dict(self.options)}

    def hide_secrets(self, text: str) -> str:
        """Replace the password in a text, for server messages that may quote it."""
        return text.replace(self.password, "***") if self.password else text
