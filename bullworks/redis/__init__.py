"""Connections to Redis or Valkey: endpoints, errors and the embedded server."""

from __future__ import annotations

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import (
    BadUrlError,
    ConnectError,
    ConnectionLostError,
    EmbeddedServerError,
    RedisError,
    UnusableClientError,
)

__all__ = [
    "BadUrlError",
    "ConnectError",
    "ConnectionLostError",
    "EmbeddedServerError",
    "Endpoint",
    "RedisError",
    "UnusableClientError",
]
