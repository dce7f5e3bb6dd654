"""The embedded server: Valkey or Redis for a machine on which none was set up."""

from __future__ import annotations

from bullworks.redis.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer"]
