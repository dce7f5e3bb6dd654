"""Where Redis is, the connection that all queues share, and the locks on it, as providers."""

import asyncio
from collections.abc import AsyncIterator

from app.redis.embedded import EmbeddedServer
from app.redis.endpoint import Endpoint
from app.redis.pipelined import PipelinedConnection
from app.workers.options import WorkersSetup
from app.workers.services.distributed_lock import DistributedLockService


async def reach(setup: WorkersSetup) -> AsyncIterator[Endpoint]:
    """Where Redis is; the embedded server is held until the application has closed."""
    if isinstance(setup.server, Endpoint):
        yield setup.server
        return
    embedded = await EmbeddedServer.attach_async(setup.server)
    yield Endpoint.of(embedded.url)
    await asyncio.to_thread(embedded.close)


async def share(endpoint: Endpoint) -> AsyncIterator[PipelinedConnection]:
    """The connection that all queues share. No socket is opened before something is said on it."""
    connection = PipelinedConnection(endpoint)
    yield connection
    await connection.close()


async def keep_locks(connection: PipelinedConnection) -> AsyncIterator[DistributedLockService]:
    """The lock service of the application, closed after the last shutdown hook and before the connection."""
    locks = DistributedLockService(connection=connection)
    yield locks
    await locks.close()
