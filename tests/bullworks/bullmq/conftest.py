"""A queue of its own for each test, and a hand to take its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bullworks.bullmq import Queue
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    """An empty queue under a prefix that no other test has."""
    async with Queue("q", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


@pytest.fixture
def hand(queue: Queue) -> HandWorker:
    """Takes and finishes the queue's jobs."""
    return HandWorker(queue)


@pytest.fixture
def keyspace(queue: Queue) -> Keyspace:
    """Looks at the queue's keys."""
    return Keyspace(queue)
