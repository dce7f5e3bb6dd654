"""A queue, its events, and what was heard of them; a server of one's own to break."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bullworks.bullmq import Queue, QueueEvents
from tests.bullworks.bullmq.events.ear import Ear
from tests.bullworks.servers import RedisServer


@pytest.fixture
async def events(queue: Queue) -> AsyncIterator[QueueEvents]:
    """Listening to the queue; a read ends soon even where nothing happens."""
    async with QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix) as events:
        yield events


@pytest.fixture
def ear(events: QueueEvents) -> Ear:
    """Everything that was told."""
    return Ear(events)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may restart, freeze and flush; it keeps its data."""
    with RedisServer(tmp_path, append_only=True) as server:
        yield server
