"""CancelListener: hears which running jobs are to stop: one reader for all workers of a queue on one event loop.

What it costs where nobody cancels: a connection, and one XREAD a minute; nothing a job. A request that it misses is
found when the job's lock is renewed, see worker/lock_renewer.py.
"""

import asyncio
import logging
from collections.abc import Callable

from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.cancel import REQUEST_KEPT_MS
from bullworks.bullmq.wire.cancel_codec import read_requests
from bullworks.redis import Endpoint, Pace, RedisError, connection_to
from bullworks.redis.background import Background

log = logging.getLogger(__name__)

# Longer than requests are kept: after a silent read there are none, so reading may begin anew.
_BLOCK_MS = REQUEST_KEPT_MS + 5_000
# Silence is normal while a read blocks; so much more of it is a dead connection.
_REPLY_TIMEOUT_MS = 10_000
_REQUESTS_A_READ = 100
_BEGIN = "0-0"


class CancelListener:
    """Follows the requests of one queue. Opens no socket before the first worker joins."""

    def __init__(self, endpoint: Endpoint, keys: QueueKeys) -> None:
        self._keys = keys
        self._connection = connection_to(
            endpoint,
            key=keys.base,
            client_name=keys.cancels_client_name(),
            reply_timeout_ms=_BLOCK_MS + _REPLY_TIMEOUT_MS,
        )
        self._takers: dict[str, Callable[[CancelRequest], None]] = {}
        self._following = Background(f"cancels:{keys.name}", self._follow)

    @property
    def is_needed(self) -> bool:
        return bool(self._takers)

    def join(self, worker_id: str, take: Callable[[CancelRequest], None]) -> None:
        """Give `take` each request for that worker, from now on."""
        self._takers[worker_id] = take
        self._following.start()

    def leave(self, worker_id: str) -> None:
        self._takers.pop(worker_id, None)

    async def close(self) -> None:
        """Stop, and let the connection go. Closing twice is fine."""
        await self._following.close()
        await self._connection.close()

    async def _follow(self) -> None:
        pace = Pace(log, f"queue {self._keys.name}: listening for cancelled jobs")
        position = _BEGIN
        while True:
            try:
                position = await self._read(position)
            except RedisError as error:
                # Another server may count from elsewhere. What is told twice is heard once.
                position = _BEGIN
                await pace.wait(error)
            else:
                pace.reset()

    async def _read(self, position: str) -> str:
        """Pass on what comes next. Returns from where to read on."""
        stream = self._keys.cancels()
        reply = await self._connection.execute(
            "XREAD", "COUNT", _REQUESTS_A_READ, "BLOCK", _BLOCK_MS, "STREAMS", stream, position
        )
        if reply is None:
            return _BEGIN
        entries = reply[0][1]
        for entry in entries:
            self._pass_on(entry)
        last: bytes = entries[-1][0]
        return last.decode()

    def _pass_on(self, entry: object) -> None:
        try:
            worker_id, requests = read_requests(entry)
        except ValueError as error:
            log.warning("queue %s: %s", self._keys.name, error, extra={"queue": self._keys.name})
            return
        take = self._takers.get(worker_id)
        if take is not None:
            for request in requests:
                take(request)


class CancelListeners:
    """The listeners of this process: workers of one queue on one event loop share a listener."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[asyncio.AbstractEventLoop, Endpoint, str], CancelListener] = {}

    def join(self, endpoint: Endpoint, keys: QueueKeys, worker_id: str, take: Callable[[CancelRequest], None]) -> None:
        """Have a worker told of each request for it, on this event loop."""
        place = (asyncio.get_running_loop(), endpoint, keys.base)
        for ended in [other for other in self._listeners if other[0].is_closed()]:
            del self._listeners[ended]
        if place not in self._listeners:
            self._listeners[place] = CancelListener(endpoint, keys)
        self._listeners[place].join(worker_id, take)

    async def leave(self, endpoint: Endpoint, keys: QueueKeys, worker_id: str) -> None:
        """Tell that worker no more; the last one ends its listener. One that never joined is fine."""
        place = (asyncio.get_running_loop(), endpoint, keys.base)
        listener = self._listeners.get(place)
        if listener is None:
            return
        listener.leave(worker_id)
        if not listener.is_needed:
            del self._listeners[place]
            await listener.close()


LISTENERS = CancelListeners()
"""Of this process."""
