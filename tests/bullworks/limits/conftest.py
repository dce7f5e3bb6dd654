"""Limits on the real server, under names that no other test uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import redis

from bullworks.limits import Limit, Window

MakeLimit = Callable[..., Limit]


@pytest.fixture
def name(key_prefix: str) -> str:
    """The name of a limit."""
    return f"{key_prefix}:api"


@pytest.fixture
async def make_limit(redis_url: str, name: str) -> AsyncIterator[MakeLimit]:
    """Makes the limit as one process more has it, closed at the end."""
    made: list[Limit] = []

    def make(*windows: Window) -> Limit:
        made.append(Limit(name, *windows, connection=redis_url))
        return made[-1]

    yield make
    for limit in made:
        await limit.close()


@pytest.fixture
def look(redis_server: object, redis_url: str) -> object:
    """A plain client to look at the keys with."""
    with redis.Redis.from_url(redis_url, protocol=2, decode_responses=True) as client:
        yield client
