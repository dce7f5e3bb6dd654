"""Reaching what is not in the slot of a queue: crons and locks lie wherever a cluster puts them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bullworks.bullmq import Queue
from bullworks.redis import PipelinedConnection, connection_to


@asynccontextmanager
async def reaching_all(queue: Queue[Any]) -> AsyncIterator[PipelinedConnection]:
    """Open a connection that reaches every key on a queue's server or cluster.

    That is the queue's own, but on a cluster, where that goes to one server: then one is opened for as long as a page
    is read, which seldom is.
    """
    endpoint = queue.connection.endpoint
    if not endpoint.has_slots:
        yield queue.connection
        return
    connection = connection_to(endpoint)
    try:
        yield connection
    finally:
        await connection.close()
