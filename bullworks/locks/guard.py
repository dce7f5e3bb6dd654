"""Running a coroutine function under a lock, or not at all."""

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar

from bullworks.bullmq import Duration
from bullworks.locks.lock import Lock

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class LockAcquirer(Protocol):
    """The part of the lock service that a guard uses."""

    async def acquire(
        self, name: str, ttl: Duration, *, wait: Duration | None, auto_extend: bool, max_hold: Duration | None
    ) -> Lock | None: ...


def guard_with_lock(
    locks_of: Callable[..., LockAcquirer],
    name: str | Callable[P, str],
    ttl: Duration,
    options: Mapping[str, Any],
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R | None]]]:
    """Create a decorator that runs a call under a lock; if it is not acquired, the result is None.

    Args:
        locks_of: finds the lock service, from the arguments of the call.
        name: of the lock, or a function of the call's arguments that gives it.
        ttl, options: as of `acquire`.
    """

    def decorate(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R | None]]:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"@locked on {function.__qualname__}, which is not an `async def`")

        @functools.wraps(function)
        async def run_locked(*args: P.args, **kwargs: P.kwargs) -> R | None:
            lock_name = name if isinstance(name, str) else name(*args, **kwargs)
            lock = await locks_of(*args).acquire(lock_name, ttl, **options)
            if lock is None:
                log.info("%s does not run: lock %s is held elsewhere", function.__qualname__, lock_name)
                return None
            async with lock:
                return await function(*args, **kwargs)

        return run_locked

    return decorate
