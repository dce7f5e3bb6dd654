"""Limits on a cluster: each lies on one server, and what is asked of several goes where it belongs."""

from __future__ import annotations

import asyncio

import pytest

from bullworks.limits import Limit, LimitReachedError, Window
from tests.bullworks.cluster.group import ServerGroup

HOUR_MS = 3_600_000


async def test_limits_and_their_keys_are_counted_wherever_they_lie(group: ServerGroup, prefix: str) -> None:
    limits = [
        Limit(f"{prefix}:{number}".replace("{", "(").replace("}", ")"), Window(5, per=HOUR_MS), connection=group.url)
        for number in range(6)
    ]

    async def use(limit: Limit) -> list[int]:
        reservation = await limit.reserve(4, key="a")
        await limit.pause(HOUR_MS, key="b")
        await reservation.settle(3)
        for key, cost in (("a", 3), ("b", 1)):
            with pytest.raises(LimitReachedError):
                await limit.reserve(cost, key=key)
        return [window.used for key in ("a", "b") for window in (await limit.get_usage(key=key)).windows]

    assert await asyncio.gather(*map(use, limits)) == [[3, 0]] * 6
    await asyncio.gather(*(limit.close() for limit in limits))
