"""How fast the whole fleet may work on a queue: what lies in `limiter` and `meta`, read and set by plain commands."""

import asyncio

from app.bullmq.script_caller import ScriptCaller

MANUAL_LIMIT = 2**53 - 1
"""A count that no limit allows. Source: what npm bullmq 6.7's `rateLimit` stores."""


class LimitScripts(ScriptCaller):
    """Fields of `meta` by their wire names."""

    __slots__ = ()

    async def rate_limit(self, duration_ms: int) -> None:
        """Let nobody take a job for so long."""
        await self.connection.execute("SET", self.keys.of("limiter"), MANUAL_LIMIT, "PX", duration_ms)

    async def read_limiter(self) -> tuple[int, int]:
        """How many jobs count against the limit now, and its ms left: -2 there is none, -1 it does not end."""
        key = self.keys.of("limiter")
        used, ttl_ms = await asyncio.gather(self.connection.execute("GET", key), self.connection.execute("PTTL", key))
        return int(used or 0), ttl_ms

    async def remove_limiter(self) -> bool:
        """Forget what was counted. Returns whether there was something."""
        return bool(await self.connection.execute("DEL", self.keys.of("limiter")))

    async def read_meta(self) -> dict[str, str]:
        """All settings of the queue."""
        flat = [part.decode("utf-8", "replace") for part in await self.connection.execute("HGETALL", self._meta)]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def set_meta(self, **settings: int) -> None:
        """Store settings that hold for all who use the queue."""
        await self.connection.execute("HSET", self._meta, *(part for pair in settings.items() for part in pair))

    async def remove_meta(self, *names: str) -> bool:
        """Drop settings. Returns whether one was there."""
        return bool(await self.connection.execute("HDEL", self._meta, *names))

    async def count_active(self) -> int:
        """Jobs that workers hold now."""
        count: int = await self.connection.execute("LLEN", self.keys.of("active"))
        return count

    @property
    def _meta(self) -> str:
        return self.keys.of("meta")
