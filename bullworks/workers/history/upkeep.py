"""What the history takes in Redis, and its removal."""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from bullworks.redis import PipelinedConnection, ServerError
from bullworks.workers.history.keys import STEP_MS, TIERS, HistoryKeys, Tier, lives_ms

# Commands in one write: what their answers take in memory stays small, however many queues there are.
_AT_ONCE = 1_000
_MOST_QUEUES = 10_000
_QUEUES_AT_ONCE = 20


def now_ms() -> int:
    """Read the machine's clock, ms since the epoch; records carry Redis's own time."""
    return int(time.time() * 1000)


class HistoryUpkeep:
    """The part of RedisHistory that reads and removes keys, not their content.

    Args:
        connection: to the Redis of the queues.
        prefix: of the queues.
    """

    def __init__(self, connection: PipelinedConnection, prefix: str = "bull") -> None:
        self._connection = connection
        self._keys = HistoryKeys(prefix)

    async def queues(self) -> list[str]:
        """List the queues with recorded history, by name."""
        found = await self._connection.execute("ZRANGE", self._keys.queues, 0, _MOST_QUEUES - 1)
        return sorted(name.decode("utf-8", "replace") for name in found)

    async def usage(self) -> dict[str, Any]:
        """Read the memory that the history uses in Redis, by queue and by tier; `minutes` are those that are kept.

        Bytes are those of MEMORY USAGE; 0 where this user of Redis may not ask for them.
        """
        names = await self.queues()
        queues: list[dict[str, Any]] = []
        for at in range(0, len(names), _QUEUES_AT_ONCE):
            queues += await asyncio.gather(*(self._usage_of(name) for name in names[at : at + _QUEUES_AT_ONCE]))
        together = await self._usage_of(None)
        parts = [*queues, together]
        days = sorted({day for part in parts for day in part["days"]})
        return {
            "keys": sum(part["keys"] for part in parts) + bool(names),
            "bytes": sum(part["bytes"] for part in parts),
            "minutes": sum(part["minutes"] for part in queues),
            "oldestDay": days[0] if days else None,
            "newestDay": days[-1] if days else None,
            "tiers": {
                tier: {each: sum(part["tiers"][tier][each] for part in parts) for each in ("keys", "bytes")}
                for tier in TIERS
            },
            "queues": queues,
        }

    async def purge(self, *, queue: str | None, before: str | None) -> tuple[int, int]:
        """Remove the days before `before`, or everything.

        What one queue added to all queues together stays there.

        Args:
            queue: None means all queues.
            before: `YYYY-MM-DD`.

        Returns:
            how many keys, and how many minutes, hours and days, were removed.

        Raises:
            ValueError: `before` is not a date.
        """
        owners: list[str | None] = [queue] if queue is not None else [*await self.queues(), None]
        before_ms = None if before is None else _begin_ms(before)
        removed = [await self._purge_one(owner, before_ms) for owner in owners]
        return sum(keys for keys, _ in removed), sum(fields for _, fields in removed)

    def _keys_of(self, queue: str | None, tier: Tier) -> dict[str, int]:
        """All keys of a tier that can be there, and when each begins."""
        at_ms = now_ms()
        return dict(self._keys.keys(queue, tier, at_ms - lives_ms(tier), at_ms + STEP_MS[tier]))

    async def _usage_of(self, queue: str | None) -> dict[str, Any]:
        tiers: dict[str, dict[str, int]] = {}
        days: set[str] = set()
        minutes = 0
        for tier in TIERS:
            begins = self._keys_of(queue, tier)
            fields = await self._ask(("HKEYS", key) for key in begins)
            there = {key: names for key, names in zip(begins, fields, strict=True) if names}
            tiers[tier] = {"keys": len(there), "bytes": await self._bytes_of(list(there))}
            if tier == "minute":
                minutes = sum(len(names) for names in there.values())
            if tier == "day":
                days |= {f"{_month(begins[key])}-{name.decode()}" for key, names in there.items() for name in names}
            else:
                days |= {_day(begins[key]) for key in there}
        ever = self._keys.ever(queue)
        if await self._connection.execute("EXISTS", ever):
            tiers["day"]["keys"] += 1
            tiers["day"]["bytes"] += await self._bytes_of([ever])
        return {
            "queue": queue,
            "keys": sum(tier["keys"] for tier in tiers.values()),
            "bytes": sum(tier["bytes"] for tier in tiers.values()),
            "minutes": minutes,
            "days": sorted(days),
            "tiers": tiers,
        }

    async def _bytes_of(self, keys: list[str]) -> int:
        try:
            sizes = await asyncio.gather(*(self._connection.execute("MEMORY", "USAGE", key, key=key) for key in keys))
        except ServerError as error:
            if error.code != "NOPERM":
                raise
            return 0
        return sum(int(size or 0) for size in sizes)

    async def _purge_one(self, queue: str | None, before_ms: int | None) -> tuple[int, int]:
        doomed: list[str] = []
        partly: dict[str, list[str]] = {}
        for tier in TIERS:
            for key, begin_ms in self._keys_of(queue, tier).items():
                if before_ms is None or (tier != "day" and begin_ms < before_ms):
                    doomed.append(key)
        if before_ms is not None:
            # one key holds a month of them
            for place in self._keys.places(queue, "day", now_ms() - lives_ms("day"), before_ms):
                partly.setdefault(place.key, []).append(place.field)
        fields = sum(await self._ask(("HLEN", key) for key in doomed))
        if before_ms is None:
            doomed.append(self._keys.ever(queue))
        gone = sum(await self._ask(("DEL", key) for key in doomed))
        had = await self._ask(("EXISTS", key) for key in partly)
        fields += sum(await self._ask(("HDEL", key, *old) for key, old in partly.items()))
        left = await self._ask(("EXISTS", key) for key in partly)
        if before_ms is None:
            await self._forget(queue)
        return gone + sum(had) - sum(left), fields

    async def _forget(self, queue: str | None) -> None:
        if queue is None:
            await self._connection.execute("DEL", self._keys.queues)
        else:
            await self._connection.execute("ZREM", self._keys.queues, queue)

    async def _ask(self, commands: Iterable[tuple[str | int, ...]]) -> list[Any]:
        """The answers to many commands, sent together."""
        left = list(commands)
        answers: list[Any] = []
        for at in range(0, len(left), _AT_ONCE):
            answers += await asyncio.gather(*(self._connection.execute(*each) for each in left[at : at + _AT_ONCE]))
        return answers


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def _month(at_ms: int) -> str:
    return _day(at_ms)[:7]


def _begin_ms(day: str) -> int:
    at = date.fromisoformat(day)
    return int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp() * 1000)
