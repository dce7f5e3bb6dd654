"""A limit in memory grants and refuses what one in Redis does, whatever is asked of both."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import pytest

from bullworks.limits import Limit, LimitReachedError, Reservation, Window
from bullworks.testing import MemoryLimit

HOUR_MS = 3_600_000
WINDOWS = (Window(40, per=HOUR_MS), Window(60, per=2 * HOUR_MS))


class Side:
    """A limit, what it granted, and what came of each step."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.reservations: list[Reservation] = []
        self.answers: list[Any] = []

    async def play(self, steps: list[tuple[str, str, int]]) -> list[Any]:
        for step, key, number in steps:
            self.answers.append((step, await getattr(self, step)(key, number)))
            usage = await self.limit.get_usage(key=key)
            self.answers.append(([window.used for window in usage.windows], usage.paused_ms > 0))
        return self.answers

    async def reserve(self, key: str, cost: int) -> str:
        try:
            self.reservations.append(await self.limit.reserve(cost, key=key))
        except LimitReachedError as refused:
            # A window in Redis is up to a hundredth longer, and who is refused there is told a later time each.
            return f"refused for {'long' if refused.retry_after_ms > HOUR_MS // 2 else 'a moment'}"
        return "granted"

    async def settle(self, _key: str, spent: int) -> bool | None:
        return await self.reservations.pop(0).settle(spent) if self.reservations else None

    async def pause(self, key: str, _number: int) -> None:
        await self.limit.pause(HOUR_MS, key=key)

    async def resume(self, key: str, _number: int) -> None:
        await self.limit.resume(key=key)


def steps_of(seed: int) -> list[tuple[str, str, int]]:
    draw = random.Random(seed)
    kinds = ["reserve"] * 6 + ["settle"] * 4 + ["pause", "resume"]
    return [(draw.choice(kinds), draw.choice("ab"), draw.randint(1, 15)) for _ in range(40)]


@pytest.mark.parametrize("seed", range(8))
async def test_both_say_the_same(redis_url: str, seed: int) -> None:
    name = f"api:{uuid4()}"
    async with Limit(name, *WINDOWS, connection=redis_url) as limit:
        in_redis = await Side(limit).play(steps_of(seed))
    assert await Side(MemoryLimit(name, *WINDOWS)).play(steps_of(seed)) == in_redis
