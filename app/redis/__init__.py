"""Connections to Redis or Valkey: endpoints, errors and the embedded server."""

from __future__ import annotations

from app.redis.endpoint import Endpoint
from app.redis.errors import (
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
