"""What workers share besides queues: distributed locks."""

from bullworks.locks.distributed_lock import DistributedLockService
from bullworks.locks.errors import (
    InvalidLockError,
    LockError,
    LockLostError,
    LocksClosedError,
    LockTakenError,
    LockUnreachableError,
)
from bullworks.locks.holder import Holder, LockView
from bullworks.locks.lock import Lock
from bullworks.locks.lock_views import read_locks
from bullworks.locks.locked import locked

__all__ = [
    "DistributedLockService",
    "Holder",
    "InvalidLockError",
    "Lock",
    "LockError",
    "LockLostError",
    "LockTakenError",
    "LockUnreachableError",
    "LockView",
    "LocksClosedError",
    "locked",
    "read_locks",
]
