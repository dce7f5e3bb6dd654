"""DistributedLockService: at most one holder of a name at a time, in all processes that share a Redis."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from bullworks.bullmq import Duration, to_ms
from bullworks.bullmq.connecting import Connection, connect
from bullworks.locks.claims import PATIENCE_S, Claims
from bullworks.locks.errors import LocksClosedError, LockTakenError
from bullworks.locks.guard import guarded
from bullworks.locks.held import forget_here, held_here, keep_here
from bullworks.locks.holder import Holder, LockView
from bullworks.locks.keys import LockKeys
from bullworks.locks.lock import Lock
from bullworks.locks.terms import LockTerms, checked_ttl_ms
from bullworks.redis import RedisError, persist

log = logging.getLogger(__name__)

# A lock whose deadline has just passed may still be ours in Redis: it is given back rather than left to run out.
_LEAST_RELEASE_S = 0.5
_READS_AT_ONCE = 100

P = ParamSpec("P")
R = TypeVar("R")


class DistributedLockService:
    """Acquires and releases locks by name; docs/locks.md says what they promise, and what no lock can.

    Usable alone: `async with DistributedLockService(connection="redis://...") as locks`. Opens no socket until it is
    first used, a second one once somebody waits.

    Args:
        connection: a URL, a redis.asyncio client, whose settings are read, or a connection to share.
    """

    def __init__(self, *, connection: Connection) -> None:
        self.instance = secrets.token_hex(8)
        self._connection, self._owns_connection = connect(connection)
        self._claims = Claims(self._connection, Holder.here(self.instance))
        self._scripts = self._claims.scripts
        self._held: set[Lock] = set()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<DistributedLockService {self.instance} at {self._connection.endpoint.describe()}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def acquire(
        self,
        name: str,
        ttl: Duration,
        *,
        wait: Duration | None = None,
        auto_extend: bool = False,
        max_hold: Duration | None = None,
    ) -> Lock | None:
        """The lock, or None: somebody else holds it, or has waited for it longer. Not reentrant.

        Args:
            name: 1 .. 200 printable characters without braces.
            ttl: after which it runs out by itself, 1 ms .. 1 day.
            wait: how long to wait for it, in the order of coming; not at all unless given.
            auto_extend: extend it, a third of the ttl after the last time, until it is released.
            max_hold: how long it is held by that at most; an hour unless given.

        Raises:
            InvalidLockError: the name or an option cannot be used.
            LockUnreachableError: Redis gave no answer in time.
            ConnectError: the first connection to Redis failed.
            LocksClosedError: the service is closed.
        """
        terms = LockTerms.of(name, ttl, wait=wait, auto_extend=auto_extend, max_hold=max_hold)
        if self._is_closed:
            raise LocksClosedError(name)
        if terms.wait_ms and (own := held_here(self.instance, name)) is not None and own.is_held:
            log.warning("waits for lock %s, which this very task holds: locks are not reentrant", name)
        # The instance is in the token: it tells who has to be told when the token's turn comes.
        token = f"{self.instance}:{secrets.token_hex(16)}"
        granted = await self._claims.claim(terms, token)
        if granted is None:
            return None
        sent_s, fence = granted
        lock = Lock(self, terms.keys, token, fence, on_end=self._ended)
        self._held.add(lock)
        lock.renew(sent_s, terms.ttl_ms)
        if terms.max_hold_ms is not None:
            extending = self._keep_extending(lock, sent_s + terms.max_hold_ms / 1000)
            lock.extending = self._claims.spawn(extending, f"lock-extend:{name}")
        keep_here(self.instance, lock)
        log.debug("lock %s acquired, fence %d", name, fence, extra={"lock": name, "fence": fence})
        return lock

    async def release(self, lock: str | Lock) -> bool:
        """Whether the lock was still ours, and is free now. Never takes away anybody else's.

        Args:
            lock: what `acquire` returned, from any task; or its name, in the task that acquired it.

        With Redis out of reach for 5 s the answer is False, and the lock runs out by itself.
        """
        if isinstance(lock, str):
            held = held_here(self.instance, LockKeys(lock).name)
            if held is None:
                log.warning("release(%r): acquired in another task: use lock.release() or async with", lock)
                return False
            lock = held
        forget_here(self.instance, lock)
        if lock.is_released:
            return False
        now_s = asyncio.get_running_loop().time()
        until_s = min(max(lock.deadline_s, now_s + _LEAST_RELEASE_S), now_s + PATIENCE_S)
        was_lost = not lock.is_held
        lock.mark_released()
        released = await self._claims.give_back(lock.keys, lock.token, until_s)
        if not released and not was_lost:
            log.warning("lock %s (fence %d) was not ours any more, or could not be released", lock.name, lock.fence)
        return released

    async def extend(self, lock: Lock, ttl: Duration) -> bool:
        """Whether the lock was still ours, and is for `ttl` from now, be that longer or shorter than before.

        Raises:
            InvalidLockError: the ttl is not 1 ms .. 1 day.
        """
        return await self._extend(lock, checked_ttl_ms(lock.name, ttl))

    async def is_locked(self, name: str) -> bool:
        """Whether anybody holds the lock now."""
        return await self._scripts.is_held(LockKeys(name))

    @asynccontextmanager
    async def hold(
        self,
        name: str,
        ttl: Duration,
        *,
        wait: Duration | None = None,
        auto_extend: bool = False,
        max_hold: Duration | None = None,
    ) -> AsyncIterator[Lock]:
        """`async with locks.hold("name", 60_000) as lock:` releases it at the end, whatever happens.

        Args: as of `acquire`.

        Raises:
            LockTakenError: somebody else holds it, also after `wait`. And what `acquire` raises.
        """
        lock = await self.acquire(name, ttl, wait=wait, auto_extend=auto_extend, max_hold=max_hold)
        if lock is None:
            raise LockTakenError(name, 0 if wait is None else to_ms(wait, "wait"))
        async with lock:
            yield lock

    def locked(
        self,
        name: str | Callable[P, str],
        ttl: Duration,
        *,
        wait: Duration | None = None,
        auto_extend: bool = False,
        max_hold: Duration | None = None,
    ) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R | None]]]:
        """As the decorator `@locked` does for methods, for any coroutine function."""
        options = {"wait": wait, "auto_extend": auto_extend, "max_hold": max_hold}
        return guarded(lambda *_: self, name, ttl, options)

    async def get_lock(self, name: str) -> LockView | None:
        """Who holds a lock, and for how long; None if it is free."""
        return await self._scripts.read(LockKeys(name))

    async def get_locks(self) -> list[LockView]:
        """All locks that are held, by name.

        One whose holder's connection broke just as it was granted may be missing until it is extended.
        """
        names = await self._scripts.names()
        found: list[LockView] = []
        for start in range(0, len(names), _READS_AT_ONCE):
            some = [self.get_lock(name) for name in names[start : start + _READS_AT_ONCE]]
            found += [view for view in await asyncio.gather(*some) if view is not None]
        return sorted(found, key=lambda view: view.name)

    async def close(self) -> None:
        """Wait for no lock any more and extend none. Closing twice is fine.

        Locks that are still held stay so until they run out: whoever works under one may not have ended.
        """
        if self._is_closed:
            return
        self._is_closed = True
        for lock in list(self._held):
            log.warning("lock %s is still held at the end; it runs out in %d ms", lock.name, lock.time_left_ms)
            if lock.extending is not None:
                lock.extending.cancel()
        await self._claims.close()
        if self._owns_connection:
            await self._connection.close()

    async def _extend(self, lock: Lock, ttl_ms: int) -> bool:
        if not lock.is_held:
            return False
        loop = asyncio.get_running_loop()

        async def ask() -> tuple[float, bool]:
            await self._claims.connect(lock.keys)
            sent_s = loop.time()
            lock.shorten(sent_s, ttl_ms)
            question = self._scripts.extend(lock.keys, lock.token, ttl_ms)
            return sent_s, await self._claims.ask(lock.keys, ttl_ms, question)

        try:
            sent_s, extended = await persist(ask, lock.deadline_s)
        except TimeoutError:
            return False  # it has run out meanwhile
        if not extended:
            lock.mark_lost()
            return False
        lock.renew(sent_s, ttl_ms)
        return lock.is_held

    def _ended(self, lock: Lock) -> None:
        self._held.discard(lock)
        if lock.lost.is_set() and not self._is_closed:
            # An extension may have been granted that we never heard of: nobody should wait for what nobody believes in.
            self._claims.leave(lock.keys, lock.token)

    async def _keep_extending(self, lock: Lock, until_s: float) -> None:
        """Extend the lock until it is released or lost; its last extension ends at `until_s` of the loop's clock."""
        while lock.is_held:
            await asyncio.sleep(lock.ttl_ms / 3000)
            left_ms = int((until_s - asyncio.get_running_loop().time()) * 1000)
            is_last = left_ms <= lock.ttl_ms
            if is_last and until_s <= lock.deadline_s:
                break
            try:
                await self._extend(lock, min(lock.ttl_ms, left_ms))
            except RedisError as error:
                log.warning("lock %s (fence %d) could not be extended: %s", lock.name, lock.fence, error)
            if is_last:
                break
        if lock.is_held:
            left_ms = lock.time_left_ms
            log.warning(
                "lock %s reaches its max_hold: it is extended no more, and runs out in %d ms", lock.name, left_ms
            )
