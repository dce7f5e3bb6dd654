"""A connection to the real server, what is recorded there, and an application that records."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.workers.history import RedisHistory
from bullworks.workers.history.keys import HistoryKeys


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[PipelinedConnection]:
    """Connected."""
    connection = PipelinedConnection(Endpoint.of(redis_url))
    await connection.connect()
    yield connection
    await connection.close()


@pytest.fixture
def history(connection: PipelinedConnection, key_prefix: str) -> RedisHistory:
    """Of the test's own prefix."""
    return RedisHistory(connection, key_prefix)


@pytest.fixture
def keys(key_prefix: str) -> HistoryKeys:
    """Where it lies."""
    return HistoryKeys(key_prefix)
