"""LockNotifier: notifies waiting tokens that their lock is free, over one connection per process."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bullworks.locks.keys import notification_list
from bullworks.redis import Endpoint, RedisError, connection_to
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# Under the connection's own limit for a silent Redis.
_BLOCK_S = 4
_PAUSE_S = 1.0


class LockNotifier:
    """Wakes waiting lock tokens of this process when they are called through its list in Redis.

    A call can be lost with a connection; who waits asks again by itself now and then, so that costs a moment only.

    Args:
        endpoint: where Redis is. A blocked connection cannot be shared, so this opens one, at the first wait.
        instance: of the lock service.
    """

    def __init__(self, endpoint: Endpoint, instance: str) -> None:
        self._key = notification_list(instance)
        self._connection = connection_to(endpoint, key=self._key, client_name=f"bullworks:locks:{instance}")
        self._waiting: dict[str, asyncio.Event] = {}
        self._somebody_waits = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def expecting(self, token: str) -> Iterator[asyncio.Event]:
        """Provide the event that is set when this token is called."""
        called = asyncio.Event()
        self._waiting[token] = called
        self._somebody_waits.set()
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="locks-listen")
        try:
            yield called
        finally:
            del self._waiting[token]
            if not self._waiting:
                self._somebody_waits.clear()

    def call(self, token: str) -> bool:
        """Wake a token of this process; False if it is not, or no longer, waiting here."""
        called = self._waiting.get(token)
        if called is None:
            return False
        called.set()
        return True

    async def close(self) -> None:
        """Wake all waiting tokens, stop reading, and close the connection."""
        for called in self._waiting.values():
            called.set()
        await cancel_and_wait(self._listening)
        self._listening = None
        await self._connection.close()

    async def _listen(self) -> None:
        while True:
            await self._somebody_waits.wait()
            try:
                popped = await self._connection.execute("BLPOP", self._key, _BLOCK_S)
            except RedisError as error:
                log.debug("waiting for locks without notifications: %s", error)
                await asyncio.sleep(_PAUSE_S)
            else:
                if popped is not None:
                    self.call(popped[1].decode())
