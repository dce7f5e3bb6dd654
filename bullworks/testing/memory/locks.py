"""MemoryLocks: the DistributedLockService of one process; what the engine's own does with Redis, done in memory."""

import time
from dataclasses import dataclass

from bullworks.locks import DistributedLockService, Holder, LockView
from bullworks.locks.claims import Claims
from bullworks.locks.keys import LockKeys
from bullworks.locks.lock_scripts import Granted, LockScripts, Refused
from bullworks.locks.notifier import LockNotifier
from bullworks.testing.memory.no_server import NoServerConnection

# How long a waiter is not notified before it asks again; it is notified as soon as the lock is free.
_RECHECK_MS = 1_000


class MemoryLocks(DistributedLockService):
    """In-memory locks that behave as DistributedLockService's do, by the real clock, without Redis.

    A lock's time to live is real time: advancing a harness's clock does not end it.
    """

    def __init__(self) -> None:
        nowhere = NoServerConnection("locks")
        super().__init__(connection=nowhere)
        self._scripts = MemoryLockScripts(nowhere)
        calls = LocalNotifier(nowhere.endpoint, self.instance)
        self._claims = Claims(nowhere, Holder.here(self.instance), scripts=self._scripts, calls=calls)


@dataclass(slots=True)
class _Held:
    """A lock that is held."""

    token: str
    holder: Holder
    fence: int
    acquired_at_ms: int
    until_ms: float


class MemoryLockScripts(LockScripts):
    """In-memory versions of the lock scripts; LockScripts documents each method."""

    __slots__ = ("_fences", "_held", "_lines")

    def __init__(self, connection: NoServerConnection) -> None:
        super().__init__(connection)
        self._held: dict[str, _Held] = {}
        self._fences: dict[str, int] = {}
        self._lines: dict[str, list[str]] = {}

    async def acquire(
        self,
        keys: LockKeys,
        token: str,
        ttl_ms: int,
        holder: Holder,
        *,
        waits: bool,
        came_us: int,  # noqa: ARG002 - no waiter here is ever considered dead
    ) -> Granted | Refused:
        held, line = self._of(keys.name), self._lines.get(keys.name, [])
        if held is not None and held.token == token:
            held.until_ms = _now_ms() + ttl_ms
            return Granted(held.fence)
        if held is None and (not line or line[0] == token):
            fence = max(self._fences.get(keys.name, 0) + 1, time.time_ns() // 1_000)
            self._fences[keys.name] = fence
            self._held[keys.name] = _Held(token, holder, fence, time.time_ns() // 1_000_000, _now_ms() + ttl_ms)
            self._leave_line(keys, token)
            return Granted(fence)
        if waits and token not in line:
            line = self._lines.setdefault(keys.name, [])
            line.append(token)
        left_ms = _RECHECK_MS if held is None else int(held.until_ms - _now_ms()) + 1
        return Refused(1, min(left_ms, _RECHECK_MS), "" if held is not None else line[0])

    async def extend(self, keys: LockKeys, token: str, ttl_ms: int) -> bool:
        held = self._of(keys.name)
        if held is None or held.token != token:
            return False
        held.until_ms = _now_ms() + ttl_ms
        return True

    async def release(self, keys: LockKeys, token: str) -> tuple[bool, str]:
        held = self._of(keys.name)
        released = held is not None and held.token == token
        if released:
            del self._held[keys.name]
        self._leave_line(keys, token)
        line = self._lines.get(keys.name)
        return released, line[0] if line and self._of(keys.name) is None else ""

    async def read(self, keys: LockKeys) -> LockView | None:
        held = self._of(keys.name)
        if held is None:
            return None
        return LockView(
            name=keys.name,
            holder=held.holder,
            fence=held.fence,
            time_left_ms=int(held.until_ms - _now_ms()),
            acquired_at_ms=held.acquired_at_ms,
            waiting=len(self._lines.get(keys.name, ())),
        )

    async def is_held(self, keys: LockKeys) -> bool:
        return self._of(keys.name) is not None

    async def note(self, name: str, ttl_ms: int) -> None:
        """Do nothing: every lock is listed while it is held."""

    async def names(self) -> list[str]:
        return list(self._held)

    def _of(self, name: str) -> _Held | None:
        """The lock, unless it has run out."""
        held = self._held.get(name)
        if held is not None and held.until_ms <= _now_ms():
            del self._held[name]
            return None
        return held

    def _leave_line(self, keys: LockKeys, token: str) -> None:
        line = self._lines.get(keys.name, [])
        if token in line:
            line.remove(token)
        if not line:
            self._lines.pop(keys.name, None)


class LocalNotifier(LockNotifier):
    """Calls waiting tokens directly, as all of them are in this process."""

    async def _listen(self) -> None:
        """Nobody else calls."""


def _now_ms() -> float:
    return time.monotonic() * 1000
