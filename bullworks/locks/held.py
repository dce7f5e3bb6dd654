"""What the running task acquired, so that `release("name")` can find it, and never finds another task's.

An immutable mapping in a ContextVar, replaced by each acquisition. A coroutine that is awaited directly, also under
asyncio.timeout(), changes the context of its caller; one that runs as a task of its own (gather, shield, create_task,
on Python 3.11 wait_for) changes a copy, which its caller does not see. Tasks started later inherit it.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from bullworks.locks.lock import Lock

# Leases that ran out are remembered, so that a late release finds them; a task that lets thousands run out is bounded.
_MOST_LOST = 32

_Key = tuple[str, str]
_NONE: Mapping[_Key, Lock] = MappingProxyType({})
_held: ContextVar[Mapping[_Key, Lock]] = ContextVar("bullworks_locks", default=_NONE)


def find_held(instance: str, name: str) -> Lock | None:
    """Find the lock that this context last acquired from a lock service under a name."""
    return _held.get().get((instance, name))


def remember_held(instance: str, lock: Lock) -> None:
    """Remember an acquired lock in this context, and in contexts copied from it."""
    kept = {key: held for key, held in _held.get().items() if not held.is_released}
    if len(kept) >= _MOST_LOST:
        kept = {key: held for key, held in kept.items() if held.is_held}
    _held.set(MappingProxyType({**kept, (instance, lock.name): lock}))


def forget_held(instance: str, lock: Lock) -> None:
    """Forget an acquired lock in this context, unless a later one has its name."""
    held = _held.get()
    if held.get((instance, lock.name)) is lock:
        _held.set(MappingProxyType({key: other for key, other in held.items() if other is not lock}))
