"""The scripts of locks, a typed method for each."""

from dataclasses import dataclass
from typing import Any

from bullworks.locks.errors import InvalidLockError
from bullworks.locks.holder import Holder, LockView
from bullworks.locks.keys import NAMES, LockKeys, notification_list
from bullworks.redis import Argument, PipelinedConnection, Script, ServerError


def _load(name: str) -> Script:
    return Script.load("bullworks.locks", name)


ACQUIRE = _load("acquire_lock")
EXTEND = _load("extend_lock")
RELEASE = _load("release_lock")
READ = _load("read_lock")
NOTE = _load("note_lock")
TELL = _load("tell_waiter")


@dataclass(frozen=True, slots=True)
class Granted:
    """Reply to a claim: the lock is ours."""

    fence: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Reply to a claim: another holder has the lock.

    Attributes:
        came_us: our place in line, to be handed back with the next question; 0 where we do not wait.
        recheck_ms: after which to ask again, unless notified before.
        to_tell: the waiting token to notify that the lock is free; "" for none.
    """

    came_us: int
    recheck_ms: int
    to_tell: str


class LockScripts:
    """Runs the lock scripts over one connection. Each is safe to repeat if a reply was lost."""

    __slots__ = ("_connection",)

    def __init__(self, connection: PipelinedConnection) -> None:
        self._connection = connection

    async def acquire(
        self, keys: LockKeys, token: str, ttl_ms: int, holder: Holder, *, waits: bool, came_us: int
    ) -> Granted | Refused:
        """Take the lock, or stand in line for it; see lua/acquire_lock.lua."""
        args: list[Argument] = [token, ttl_ms, int(waits), came_us, holder.host, holder.pid, holder.instance]
        answer = await self._run(ACQUIRE, keys, (keys.lock, keys.fence, keys.line, keys.seen), args)
        if answer[0] == 1:
            return Granted(answer[1])
        _, came_us, recheck_ms, to_tell = answer
        return Refused(came_us, recheck_ms, to_tell.decode())

    async def extend(self, keys: LockKeys, token: str, ttl_ms: int) -> bool:
        """Extend the lock to `ttl_ms` from now; returns whether it was still ours."""
        return bool(await self._run(EXTEND, keys, (keys.lock,), [token, ttl_ms]))

    async def release(self, keys: LockKeys, token: str) -> tuple[bool, str]:
        """Release the lock or leave its line; returns whether it was ours, and the token to notify."""
        released, to_tell = await self._run(RELEASE, keys, (keys.lock, keys.line, keys.seen), [token])
        return bool(released), to_tell.decode()

    async def read(self, keys: LockKeys) -> LockView | None:
        """The lock as it is now, or None if it is free."""
        answer = await self._run(READ, keys, (keys.lock, keys.line), [])
        if not answer:
            return None
        left_ms, waiting, fence, host, pid, instance, acquired_at_ms = answer
        return LockView(
            name=keys.name,
            holder=Holder(host.decode(), int(pid), instance.decode()),
            fence=int(fence),
            time_left_ms=left_ms,
            acquired_at_ms=int(acquired_at_ms),
            waiting=waiting,
        )

    async def is_held(self, keys: LockKeys) -> bool:
        """Whether any holder has the lock."""
        return bool(await self._connection.execute("EXISTS", keys.lock))

    async def note(self, name: str, ttl_ms: int) -> None:
        """Add the lock to the list that `names` reads."""
        await self._connection.run(NOTE, (NAMES,), [name, ttl_ms])

    async def names(self) -> list[str]:
        """Read the names of the locks that may be held."""
        return [name.decode() for name in await self._connection.execute("ZRANGE", NAMES, 0, -1)]

    async def tell(self, instance: str, token: str) -> None:
        """Notify a process that the lock its token waits for is free."""
        await self._connection.run(TELL, (notification_list(instance),), [token])

    async def _run(self, script: Script, keys: LockKeys, names: tuple[str, ...], args: list[Argument]) -> Any:
        try:
            return await self._connection.run(script, names, args)
        except ServerError as error:
            if error.code != "WRONGTYPE":
                raise
            raise InvalidLockError(keys.name, f"the key {keys.lock}, or one below it, has another type") from error
