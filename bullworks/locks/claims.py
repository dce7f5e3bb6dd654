"""Claims: getting a lock and giving it back, in spite of lost replies, late replies and cancellation."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from bullworks.locks.errors import LocksClosedError, LockUnreachableError
from bullworks.locks.holder import Holder
from bullworks.locks.keys import LockKeys
from bullworks.locks.lock import valid_until
from bullworks.locks.lock_scripts import Granted, LockScripts, Refused
from bullworks.locks.notifier import LockNotifier
from bullworks.locks.terms import LockTerms
from bullworks.redis import PipelinedConnection, RedisError, persist
from bullworks.tasks import wait_or_cancel

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_S = 5.0
"""How long one question may take where nothing else bounds it: as long as an ordinary start waits for Redis."""

# How long what may have been granted to a caller that gave up is tried to be released.
_LEAVE_S = 30.0
# How long a cancelled claim waits for that before it lets the cancellation through, and closing for what is under way.
_CANCEL_S = 1.0
# Also who has hardly any time to wait left asks once, and is given the time to hear the answer.
_LEAST_PATIENCE_S = 0.25
# Answers that took longer than the ttl, in a row: the network is too slow for it.
_MOST_LATE = 3


class Claims:
    """Claims locks by token. A request is repeated with the same token, so a lost reply does no harm.

    Args:
        connection: of the service.
        holder: this process, as others are shown it.
        scripts: what decides whose a lock is; over the connection unless given.
        calls: notifies waiters; over a connection of its own unless given.
    """

    def __init__(
        self,
        connection: PipelinedConnection,
        holder: Holder,
        *,
        scripts: LockScripts | None = None,
        calls: LockNotifier | None = None,
    ) -> None:
        self.scripts = scripts or LockScripts(connection)
        self._connection = connection
        self._holder = holder
        self._calls = calls or LockNotifier(connection.endpoint, holder.instance)
        self._claiming: dict[str, LockKeys] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._was_connected = False
        self._is_closed = False

    async def claim(self, terms: LockTerms, token: str) -> tuple[float, int] | None:
        """Claim a lock: the loop time of the granted request and the fence; None if refused.

        Raises as DistributedLockService.acquire does; then, and when cancelled, nothing is left behind.
        """
        self._claiming[token] = terms.keys
        try:
            return await (self._wait(terms, token) if terms.wait_ms else self._try(terms, token))
        except asyncio.CancelledError:
            # What was sent may be granted after all.
            await asyncio.wait({self.leave(terms.keys, token)}, timeout=_CANCEL_S)
            raise
        except LockUnreachableError:
            self.leave(terms.keys, token)
            raise
        finally:
            del self._claiming[token]

    async def give_back(self, keys: LockKeys, token: str, until_s: float) -> bool:
        """Release a lock; returns whether it was still this token's. False also if Redis stayed unreachable.

        Goes on by itself when the caller is cancelled.
        """
        return await asyncio.shield(self.spawn(self._give_back(keys, token, until_s), "locks-release"))

    def leave(self, keys: LockKeys, token: str) -> asyncio.Task[bool]:
        """Leave the waiting line, and release the lock if the token got it after all, in a background task."""
        patience_s = _CANCEL_S if self._is_closed else _LEAVE_S
        return self.spawn(self._give_back(keys, token, _now_s() + patience_s), "locks-leave")

    async def ask(self, keys: LockKeys, ttl_ms: int, question: Awaitable[T]) -> T:
        """Send a request about a lock while listing the lock as possibly held."""
        answer, noted = await asyncio.gather(question, self.scripts.note(keys.name, ttl_ms), return_exceptions=True)
        if isinstance(noted, Exception):
            log.debug("lock %s is not listed: %s", keys.name, noted)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def connect(self, keys: LockKeys) -> None:
        """Wait until a request can be sent at once, so that its sending time is known.

        Raises:
            LocksClosedError: no more questions.
        """
        if self._is_closed:
            raise LocksClosedError(keys.name)
        if not self._connection.is_connected:
            await self._connection.connect()

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start a task that `close` awaits."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Fail claims in progress, and release what they are granted; ends within a second."""
        self._is_closed = True
        for token, keys in self._claiming.items():
            self.leave(keys, token)
        await wait_or_cancel(self._tasks, _CANCEL_S)
        await self._calls.close()

    async def _try(self, terms: LockTerms, token: str) -> tuple[float, int] | None:
        sent_s, answer = await self._question(terms, token, _now_s() + PATIENCE_S, waits=False, came_us=0)
        if isinstance(answer, Granted):
            return sent_s, answer.fence
        await self._tell(answer.to_tell)
        return None

    async def _wait(self, terms: LockTerms, token: str) -> tuple[float, int] | None:
        until_s = _now_s() + terms.wait_ms / 1000
        came_us = 0
        with self._calls.expecting(token) as called:
            while True:
                called.clear()
                sent_s, answer = await self._question(terms, token, until_s, waits=True, came_us=came_us)
                if isinstance(answer, Granted):
                    return sent_s, answer.fence
                came_us = answer.came_us
                await self._tell(answer.to_tell)
                # Asking again is what shows that we are alive, even without notifications.
                await _set_within(called, min(_now_s() + answer.recheck_ms / 1000, until_s))
                if _now_s() >= until_s:
                    break
        await asyncio.shield(self.leave(terms.keys, token))
        return None

    async def _question(
        self, terms: LockTerms, token: str, until_s: float, *, waits: bool, came_us: int
    ) -> tuple[float, Granted | Refused]:
        keys = terms.keys

        async def ask() -> tuple[float, Granted | Refused]:
            for _ in range(_MOST_LATE):
                await self.connect(keys)
                sent_s = _now_s()
                question = self.scripts.acquire(keys, token, terms.ttl_ms, self._holder, waits=waits, came_us=came_us)
                answer = await self.ask(keys, terms.ttl_ms, question)
                # Granted too long ago to be of use: asked again, it is granted again.
                if isinstance(answer, Refused) or _now_s() < valid_until(sent_s, terms.ttl_ms):
                    return sent_s, answer
            raise TimeoutError

        started_s = _now_s()
        try:
            if not self._was_connected:
                # What is wrong from the start is reported at once.
                await self._connection.connect()
                self._was_connected = True
            sent_s, answer = await persist(ask, max(until_s, started_s + _LEAST_PATIENCE_S))
        except TimeoutError as error:
            waited_ms = round((_now_s() - started_s) * 1000)
            raise LockUnreachableError(keys.name, self._connection.endpoint.describe(), waited_ms) from error
        if self._is_closed:
            raise LocksClosedError(keys.name)
        return sent_s, answer

    async def _give_back(self, keys: LockKeys, token: str, until_s: float) -> bool:
        try:
            released, to_tell = await persist(lambda: self.scripts.release(keys, token), until_s)
        except TimeoutError:
            log.warning("lock %s: not released, Redis is unreachable; it will expire", keys.name)
            return False
        await self._tell(to_tell)
        return released

    async def _tell(self, token: str) -> None:
        """Tell who waits that its turn has come, here or in another process."""
        if not token or self._calls.call(token):
            return
        instance = token.partition(":")[0]
        if instance == self._holder.instance:
            return  # it left just now, and notified the next itself
        try:
            await self.scripts.tell(instance, token)
        except RedisError as error:
            log.debug("a waiting process was not notified, and will retry by itself: %s", error)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("%s: %s", task.get_name(), error)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _set_within(event: asyncio.Event, until_s: float) -> None:
    try:
        async with asyncio.timeout_at(until_s):
            await event.wait()
    except TimeoutError:
        pass
