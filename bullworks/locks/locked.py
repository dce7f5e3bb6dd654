"""`@locked(name, ttl)`: a method that at most one process runs at a time."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from bullworks.bullmq import Duration
from bullworks.locks.distributed_lock import DistributedLockService
from bullworks.locks.guard import guard_with_lock

P = ParamSpec("P")
R = TypeVar("R")


def locked(
    name: str | Callable[P, str],
    ttl: Duration,
    *,
    wait: Duration | None = None,
    auto_extend: bool = False,
    max_hold: Duration | None = None,
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R | None]]]:
    """Run the method while a lock is held; if it is not acquired, the call logs so and returns None.

    Its object keeps the DistributedLockService that it was given, in whatever attribute.

    Args:
        name: of the lock, or a function of the method's arguments (self first) that gives it.
        ttl, wait, auto_extend, max_hold: as of `DistributedLockService.acquire`.

    Raises:
        TypeError: at decoration: it is no `async def`. When called: its object keeps no DistributedLockService.
    """
    return guard_with_lock(_locks_of, name, ttl, {"wait": wait, "auto_extend": auto_extend, "max_hold": max_hold})


def _locks_of(*args: Any) -> DistributedLockService:
    owner = args[0] if args else None
    slots = [slot for cls in type(owner).__mro__ for slot in vars(cls).get("__slots__", ())]
    kept = [*getattr(owner, "__dict__", {}).values(), *(getattr(owner, slot, None) for slot in slots)]
    for value in kept:
        if isinstance(value, DistributedLockService):
            return value
    raise TypeError(
        f"@locked on a method of {type(owner).__qualname__}, which has no DistributedLockService: take one in "
        "__init__ (`locks: DistributedLockService`) and keep it, or decorate with `@locks.locked(...)`"
    )
