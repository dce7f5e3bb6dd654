"""A queue on the real server, and reading who works on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bullworks.bullmq import Queue
from bullworks.workers.presence import PresentWorkers, read_present
from bullworks.workers.presence.keys import PresenceKeys

Who = Callable[..., Awaitable[PresentWorkers]]


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """Connected."""
    async with Queue[Any]("email", connection=redis_url, prefix=key_prefix) as queue:
        await queue.wait_until_ready()
        yield queue


@pytest.fixture
def keys(key_prefix: str) -> PresenceKeys:
    """Where its workers are listed."""
    return PresenceKeys(key_prefix, "email")


@pytest.fixture
def who(queue: Queue[Any], keys: PresenceKeys) -> Who:
    """Reads them."""

    async def read(most: int = 10) -> PresentWorkers:
        return await read_present(queue.connection, keys, most)

    return read
