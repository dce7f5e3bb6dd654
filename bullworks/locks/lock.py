"""Lock: one acquisition, until it is released or lost."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from bullworks.bullmq import Duration
from bullworks.locks.errors import LockLostError
from bullworks.locks.keys import LockKeys

log = logging.getLogger(__name__)

# Redis truncates to milliseconds, and two clocks do not run alike: what we believe ends a little before its key does.
_CLOCK_MARGIN_S = 0.002
_CLOCK_DRIFT = 0.001


class LockOwner(Protocol):
    """The owner of a Lock, which talks to Redis for it."""

    async def release(self, lock: "Lock") -> bool: ...

    async def extend(self, lock: "Lock", ttl: Duration) -> bool: ...


class Lock:
    """A lease on a lock: held until released, or until its ttl has passed, whichever comes first.

    `async with lock:` releases it at the end. Bound to the event loop on which it was acquired.

    Attributes:
        name: of the lock.
        fence: grows with every acquisition of that name: hand it to what the lock protects, which refuses a smaller
            one than it has seen.
        lost: set once the lock is no longer ours without a release: at the deadline counted from before the
            last request was sent, or when Redis says so.
    """

    def __init__(
        self, keeper: LockOwner, keys: LockKeys, token: str, fence: int, *, on_end: Callable[["Lock"], None]
    ) -> None:
        self.name = keys.name
        self.fence = fence
        self.lost = asyncio.Event()
        self.keys = keys
        self.token = token
        self.ttl_ms = 0
        self.extending: asyncio.Task[None] | None = None
        self._keeper = keeper
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._deadline_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_released = False

    def __repr__(self) -> str:
        state = "released" if self._is_released else "held" if self.is_held else "lost"
        return f"<Lock {self.name!r} fence {self.fence} {state}>"

    @property
    def is_held(self) -> bool:
        """Whether the lock is still ours. After a blocked loop, True only if the time has really not passed."""
        return not self._is_released and not self.lost.is_set() and self._loop.time() < self._deadline_s

    @property
    def is_released(self) -> bool:
        """Whether the lock was released, or a release was tried."""
        return self._is_released

    @property
    def time_left_ms(self) -> int:
        """The remaining time of the lock unless it is extended, ms; 0 if it is not held."""
        return max(0, int((self._deadline_s - self._loop.time()) * 1000)) if self.is_held else 0

    def ensure_held(self) -> None:
        """Raise LockLostError unless the lock is held; for between the steps of long work.

        Raises:
            LockLostError: it is not.
        """
        if not self.is_held:
            raise LockLostError(self.name, self.fence)

    async def release(self) -> bool:
        """Release the lock, from any task; see DistributedLockService.release."""
        return await self._keeper.release(self)

    async def extend(self, ttl: Duration) -> bool:
        """Extend the lock to `ttl` from now; see DistributedLockService.extend."""
        return await self._keeper.extend(self, ttl)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    # For who made it.

    @property
    def deadline_s(self) -> float:
        """The loop time until which the lock is ours."""
        return self._deadline_s

    def shorten(self, sent_s: float, ttl_ms: int) -> None:
        """Shorten the lock to what a request about to be sent allows, as its reply may be lost."""
        self._set_deadline(min(self._deadline_s, valid_until(sent_s, ttl_ms)))

    def renew(self, sent_s: float, ttl_ms: int) -> None:
        """Note that Redis granted `ttl_ms` to a request sent at `sent_s` of the loop's clock or later."""
        if not self._is_released and not self.lost.is_set():
            self.ttl_ms = ttl_ms
            self._set_deadline(valid_until(sent_s, ttl_ms))

    def mark_released(self) -> None:
        """Mark the lock as released, whatever becomes of the request to release it."""
        self._is_released = True
        self._end()

    def mark_lost(self) -> None:
        """Mark the lock as lost: it is free, or another holder's."""
        if not self._is_released and not self.lost.is_set():
            self.lost.set()
            self._end()
            log.warning(
                "lock %s (fence %d) is lost: it was not released or extended in time",
                self.name,
                self.fence,
                extra={"lock": self.name, "fence": self.fence},
            )

    def _set_deadline(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline_s, self.mark_lost)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.extending is not None and self.extending is not asyncio.current_task():
            self.extending.cancel()
        self._on_end(self)


def valid_until(sent_s: float, ttl_ms: int) -> float:
    """Compute until when a lock counts as ours, by the clock by which the request for `ttl_ms` was sent."""
    ttl_s = ttl_ms / 1000
    return sent_s + ttl_s - min(_CLOCK_MARGIN_S + ttl_s * _CLOCK_DRIFT, ttl_s / 2)
