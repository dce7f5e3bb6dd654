"""What a lock is asked for with, checked."""

from dataclasses import dataclass
from typing import Self

from bullworks.bullmq import Duration, to_ms
from bullworks.locks.errors import InvalidLockError
from bullworks.locks.keys import LockKeys

# A lock that a dead process leaves behind for longer than a day is an outage; longer work extends its lock.
LONGEST_TTL_MS = 24 * 60 * 60 * 1000
# How long auto_extend lasts by default: work that hangs must not block others for ever.
DEFAULT_MAX_HOLD_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class LockTerms:
    """The validated arguments of one acquisition.

    Attributes:
        keys: of the lock.
        ttl_ms: after which it runs out.
        wait_ms: how long to wait for it; 0 means not at all.
        max_hold_ms: how long it is extended by itself; None means never.
    """

    keys: LockKeys
    ttl_ms: int
    wait_ms: int
    max_hold_ms: int | None

    @classmethod
    def of(
        cls, name: str, ttl: Duration, *, wait: Duration | None, auto_extend: bool, max_hold: Duration | None
    ) -> Self:
        """Validate the arguments of an acquisition. Raises InvalidLockError."""
        keys = LockKeys(name)
        ttl_ms = checked_ttl_ms(name, ttl)
        if max_hold is not None and not auto_extend:
            raise InvalidLockError(name, "max_hold bounds auto_extend; give both, or neither")
        max_hold_ms = None
        if auto_extend:
            max_hold_ms = DEFAULT_MAX_HOLD_MS if max_hold is None else _checked_ms(name, max_hold, "max_hold", least=1)
            max_hold_ms = max(max_hold_ms, ttl_ms)
        wait_ms = 0 if wait is None else _checked_ms(name, wait, "wait", least=0)
        return cls(keys, ttl_ms, wait_ms, max_hold_ms)


def checked_ttl_ms(name: str, ttl: Duration) -> int:
    """Convert a lock's ttl to ms. Raises InvalidLockError: not a duration, not positive, or more than a day."""
    ttl_ms = _checked_ms(name, ttl, "ttl", least=1)
    if ttl_ms > LONGEST_TTL_MS:
        raise InvalidLockError(name, f"ttl must be at most a day, {LONGEST_TTL_MS} ms, not {ttl_ms}; extend the lock")
    return ttl_ms


def _checked_ms(name: str, value: object, option: str, *, least: int) -> int:
    try:
        return to_ms(value, option, least=least)
    except ValueError as error:
        raise InvalidLockError(name, str(error)) from None
