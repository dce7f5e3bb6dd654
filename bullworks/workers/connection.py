"""Where Redis is, the connection that all queues share, and the locks on it, as providers."""

from collections.abc import AsyncIterator

from bullworks.locks import DistributedLockService
from bullworks.redis import Endpoint, PipelinedConnection, connection_to
from bullworks.workers.embedded_endpoint import EmbeddedEndpoint
from bullworks.workers.options import WorkersSetup


async def reach(setup: WorkersSetup) -> AsyncIterator[Endpoint]:
    """Build the endpoint; the first connection starts an embedded server, held until the application closes."""
    if isinstance(setup.server, Endpoint):
        yield setup.server
        return
    embedded = EmbeddedEndpoint(setup.server)
    yield embedded
    await embedded.close()


async def share(endpoint: Endpoint) -> AsyncIterator[PipelinedConnection]:
    """Provide the connection that all queues share. No socket is opened before its first use."""
    connection = connection_to(endpoint)
    yield connection
    await connection.close()


async def keep_locks(connection: PipelinedConnection) -> AsyncIterator[DistributedLockService]:
    """Provide the application's lock service, closed after the last shutdown hook and before the connection."""
    locks = DistributedLockService(connection=connection)
    yield locks
    await locks.close()
