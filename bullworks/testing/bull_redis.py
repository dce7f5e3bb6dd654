"""BullRedis: a real server for tests, and the removal of what they left there."""

from dataclasses import dataclass, field

import redis.asyncio

from bullworks.redis import Endpoint

_KEYS_A_CALL = 1_000


@dataclass(frozen=True, slots=True)
class BullRedis:
    """The address of a Redis server for tests; its repr shows no password.

    Attributes:
        url: to connect with, for Queue, Worker and `BullModule.for_root(connection=...)`.
    """

    url: str = field(repr=False)

    @property
    def endpoint(self) -> Endpoint:
        """The server as an Endpoint."""
        return Endpoint.of(self.url)

    def client(self) -> redis.asyncio.Redis:
        """Create a redis-py client to inspect the data; `async with` closes it."""
        return self.endpoint.client()

    async def remove(self, prefix: str) -> int:
        """Remove all keys under a prefix of queues. Returns how many there were."""
        removed = 0
        async with self.client() as client:
            keys = [key async for key in client.scan_iter(match=f"{prefix}:*", count=_KEYS_A_CALL)]
            for at in range(0, len(keys), _KEYS_A_CALL):
                removed += await client.unlink(*keys[at : at + _KEYS_A_CALL])
        return removed
