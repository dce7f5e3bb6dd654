"""Lock services on the real server, and names that no other test uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import redis

from bullworks.locks import DistributedLockService
from bullworks.locks.keys import LockKeys

MakeService = Callable[[], DistributedLockService]


@pytest.fixture
async def make_service(redis_url: str) -> AsyncIterator[MakeService]:
    """Makes lock services as other processes have them, closed at the end."""
    made: list[DistributedLockService] = []

    def make() -> DistributedLockService:
        made.append(DistributedLockService(connection=redis_url))
        return made[-1]

    yield make
    for service in made:
        await service.close()


@pytest.fixture
def locks(make_service: MakeService) -> DistributedLockService:
    """A lock service."""
    return make_service()


@pytest.fixture
def others(make_service: MakeService) -> DistributedLockService:
    """That of another process."""
    return make_service()


@pytest.fixture
def name(key_prefix: str) -> str:
    """The name of a lock."""
    return f"{key_prefix}:sync-data"


@pytest.fixture
def keys(name: str) -> LockKeys:
    """Its keys."""
    return LockKeys(name)


@pytest.fixture
def look(redis_server: object, redis_url: str) -> object:
    """A plain client to look at the keys with."""
    with redis.Redis.from_url(redis_url, protocol=2, decode_responses=True) as client:
        yield client
