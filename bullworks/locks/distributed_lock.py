"""DistributedLockService: at most one holder of a name at a time, in all processes that share a Redis."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from bullworks.bullmq import Duration, to_ms
from bullworks.bullmq.connecting import Connection, lease
from bullworks.closing import Closing
from bullworks.locks.claims import PATIENCE_S, Claims
from bullworks.locks.errors import LocksClosedError, LockTakenError
from bullworks.locks.guard import guard_with_lock
from bullworks.locks.held import find_held, forget_held, remember_held
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


class DistributedLockService(Closing):
    """Acquires and releases locks by name; docs/locks.md says what they promise, and what no lock can.

    Usable alone: `async with DistributedLockService(connection="redis://...") as locks`. Opens no socket until it is
    first used, a second one at the first wait.

    Args:
        connection: a URL, a redis.asyncio client, whose settings are read, or a connection to share.
    """

    def __init__(self, *, connection: Connection) -> None:
        self.instance = secrets.token_hex(8)
        self._lease = lease(connection)
        self._connection = self._lease.connection
        self._claims = Claims(self._connection, Holder.here(self.instance))
        self._scripts = self._claims.scripts
        self._held: set[Lock] = set()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<DistributedLockService {self.instance} at {self._connection.endpoint.describe()}>"

    async def acquire(
        self,
        name: str,
        ttl: Duration,
        *,
        wait: Duration | None = None,
        auto_extend: bool = False,
        max_hold: Duration | None = None,
    ) -> Lock | None:
        """Acquire a lock; None if another holder has it, or has waited for it longer. Not reentrant.

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
        if terms.wait_ms and (own := find_held(self.instance, name)) is not None and own.is_held:
            log.warning("waits for lock %s, which the same task holds: locks are not reentrant", name)
        # The instance is in the token: it tells which process to notify when the token's turn comes.
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
        remember_held(self.instance, lock)
        log.debug("lock %s acquired, fence %d", name, fence, extra={"lock": name, "fence": fence})
        return lock

    async def release(self, lock: str | Lock) -> bool:
        """Release a lock; returns whether it was still ours. Never releases another holder's lock.

        Args:
            lock: what `acquire` returned, from any task; or its name, in the task that acquired it.

        With Redis out of reach for 5 s the answer is False, and the lock runs out by itself.
        """
        if isinstance(lock, str):
            held = find_held(self.instance, LockKeys(lock).name)
            if held is None:
                log.warning("release(%r): acquired in another task: use lock.release() or async with", lock)
                return False
            lock = held
        forget_held(self.instance, lock)
        if lock.is_released:
            return False
        now_s = asyncio.get_running_loop().time()
        until_s = min(max(lock.deadline_s, now_s + _LEAST_RELEASE_S), now_s + PATIENCE_S)
        was_lost = not lock.is_held
        lock.mark_released()
        released = await self._claims.give_back(lock.keys, lock.token, until_s)
        if not released and not was_lost:
            log.warning("lock %s (fence %d) was no longer ours, or could not be released", lock.name, lock.fence)
        return released

    async def extend(self, lock: Lock, ttl: Duration) -> bool:
        """Extend a lock to `ttl` from now, longer or shorter than before; returns whether it was still ours.

        Raises:
            InvalidLockError: the ttl is not 1 ms .. 1 day.
        """
        return await self._extend(lock, checked_ttl_ms(lock.name, ttl))

    async def is_locked(self, name: str) -> bool:
        """Whether any holder has the lock now."""
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
        """Hold a lock for a block, always released at its end: `async with locks.hold("name", 60_000) as lock:`.

        Args: as of `acquire`.

        Raises:
            LockTakenError: it is held elsewhere, also after `wait`. And what `acquire` raises.
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
        """Run any coroutine function under a lock; the decorator `@locked` does so for methods."""
        options = {"wait": wait, "auto_extend": auto_extend, "max_hold": max_hold}
        return guard_with_lock(lambda *_: self, name, ttl, options)

    async def get_lock(self, name: str) -> LockView | None:
        """Read a lock's holder and remaining time; None if it is free."""
        return await self._scripts.read(LockKeys(name))

    async def get_locks(self) -> list[LockView]:
        """List all held locks, by name.

        One whose holder's connection broke just as it was granted may be missing until it is extended.
        """
        names = await self._scripts.names()
        found: list[LockView] = []
        for start in range(0, len(names), _READS_AT_ONCE):
            some = [self.get_lock(name) for name in names[start : start + _READS_AT_ONCE]]
            found += [view for view in await asyncio.gather(*some) if view is not None]
        return sorted(found, key=lambda view: view.name)

    async def close(self) -> None:
        """Stop waiting for locks and extending them. Closing twice is fine.

        Locks that are still held stay so until they run out: work under one may not have ended.
        """
        if self._is_closed:
            return
        self._is_closed = True
        for lock in list(self._held):
            log.warning("lock %s is still held at the end; it expires in %d ms", lock.name, lock.time_left_ms)
            if lock.extending is not None:
                lock.extending.cancel()
        await self._claims.close()
        await self._lease.end()

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
                "lock %s reaches its max_hold: it is no longer extended, and expires in %d ms", lock.name, left_ms
            )
