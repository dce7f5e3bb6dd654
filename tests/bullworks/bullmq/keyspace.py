"""Keyspace: what a queue left in Redis, read past the engine."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import Queue
from bullworks.bullmq.job.state import LIST_SUFFIXES


class Keyspace:
    """Raw looks at one queue's keys."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def command(self, *command: Any) -> Any:
        return await self._queue.connection.execute(*command)

    def key(self, suffix: str) -> str:
        return self._queue.keys.of(suffix)

    async def ids(self, suffix: str) -> list[str]:
        """The ids in a list or sorted set, in Redis's order."""
        read = ("LRANGE" if suffix in LIST_SUFFIXES else "ZRANGE", self.key(suffix), 0, -1)
        return [job_id.decode() for job_id in await self.command(*read)]

    async def hash(self, job_id: str) -> dict[str, str]:
        flat = [part.decode(errors="replace") for part in await self.command("HGETALL", self.key(job_id))]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def events(self, *names: str) -> list[dict[str, str]]:
        """The event stream, oldest first; only events of these names, if any are given."""
        entries = await self.command("XRANGE", self.key("events"), "-", "+")
        flat = [[part.decode() for part in fields] for _, fields in entries]
        events = [dict(zip(fields[::2], fields[1::2], strict=True)) for fields in flat]
        return [event for event in events if not names or event["event"] in names]

    async def keys(self) -> list[str]:
        """All keys of the queue, less what they have in common."""
        base = self.key("")
        found, cursor = [], b"0"
        for _ in range(10_000):
            cursor, page = await self.command("SCAN", cursor, "MATCH", f"{base}*", "COUNT", 1000)
            found += [key.decode().removeprefix(base) for key in page]
            if cursor == b"0":
                return sorted(found)
        raise AssertionError("SCAN did not end")

    async def spoil(self, suffix: str) -> None:
        """Put a value of a type that BullMQ never has there."""
        wrong = "HSET" if suffix in {"events", "pc"} else "SETBIT"
        arguments = ("a", "b") if wrong == "HSET" else (0, 1)
        await self.command("DEL", self.key(suffix))
        await self.command(wrong, self.key(suffix), *arguments)
