"""Reaching the queues that the settings name, for commands that look at them or change them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bullworks.bullmq import Queue
from bullworks.bullmq.keys import QueueKeys
from bullworks.cli.failure import CommandError
from bullworks.cli.program import Program
from bullworks.redis import Endpoint
from bullworks.redis.embedded import EmbeddedServer
from bullworks.workers import QueueSettings

GLOB_CHARACTERS = "*?[]\\"


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues under one prefix on one server."""

    endpoint: Endpoint
    prefix: str

    async def names(self) -> list[str]:
        """List the names of all queues, sorted: every queue has a `meta` key."""
        literal = "".join(f"\\{char}" if char in GLOB_CHARACTERS else char for char in self.prefix)
        pattern = QueueKeys(literal, "*").of("meta")
        keys: list[str] = []
        for primary in await self.endpoint.primaries():
            async with primary.client() as client:
                keys += [key.decode() async for key in client.scan_iter(match=pattern, count=1_000)]
        found = (QueueKeys.of_job(key, self.prefix) for key in keys)
        return sorted({queue.name for queue, rest in found if rest == "meta"})

    @asynccontextmanager
    async def open_queue(self, name: str, *, must_exist: bool = True) -> AsyncIterator[Queue]:
        """Open a queue by name; it is closed at the end of the block.

        Raises:
            CommandError: there is no such queue.
        """
        if must_exist:
            known = await self.names()
            if name not in known:
                raise CommandError.unknown("queue", name, known)
        async with Queue(name, connection=self.endpoint, prefix=self.prefix) as queue:
            yield queue


@asynccontextmanager
async def connect_redis(settings: QueueSettings) -> AsyncIterator[str]:
    """Provide the URL of the configured server, or of the embedded one, which runs until the end of the block."""
    if settings.queue_redis_url is not None:
        yield settings.queue_redis_url.get_secret_value()
        return
    async with await EmbeddedServer.attach_async(settings.queue_data_dir) as server:
        yield server.url


@asynccontextmanager
async def open_queues() -> AsyncIterator[Queues]:
    """Open the queues that the program's settings name.

    Raises:
        SettingsError: the settings cannot be used.
        RedisError: the server cannot be reached.
    """
    source = Program.current().settings
    source.check([QueueSettings])
    settings = source[QueueSettings]
    async with connect_redis(settings) as url:
        endpoint = Endpoint.of(url, connect_timeout_ms=settings.queue_connect_timeout_ms)
        # One connection first: it says what is wrong in words, where a client has only redis-py's.
        connection = await endpoint.open()
        await connection.disconnect()
        yield Queues(endpoint, settings.queue_prefix)
