"""Queues as modules: each registered queue is a small module, the same one wherever it is registered alike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from app.bullmq import JobOptions, JobOpts, Queue
from app.bullmq.queue import checked_keys
from app.core import ModuleContainer, dynamic_module, provide
from app.redis.embedded import EmbeddedServer
from app.redis.endpoint import Endpoint
from app.redis.pipelined import PipelinedConnection
from app.workers.options import WorkersSetup
from app.workers.tokens import CONNECTION, SETUP, get_queue_token


class QueueModule:
    """Provides one queue."""


def queue_module(
    name: str, *, prefix: str | None = None, default_job_options: JobOptions | None = None
) -> ModuleContainer:
    """The module of a queue; an application has one for all that ask for it with the same options.

    Raises:
        InvalidOptionError: the name, the prefix or a default option cannot be used.
    """
    checked_keys(prefix or "bull", name)
    token = get_queue_token(name)

    def make(connection: PipelinedConnection, setup: WorkersSetup) -> Queue[Any]:
        return Queue(
            name,
            connection=connection,
            prefix=prefix or setup.prefix,
            default_job_options=default_job_options,
        )

    return dynamic_module(
        QueueModule,
        name=f"QueueModule({name})",
        providers=[provide(token, use_factory=make, inject=[CONNECTION, SETUP])],
        exports=[token],
        key=(QueueModule, name, prefix, JobOpts.of(default_job_options or {})),
    )


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
