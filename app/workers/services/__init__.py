"""What workers share besides queues: distributed locks."""

from app.workers.services.distributed_lock import DistributedLockService
from app.workers.services.errors import (
    InvalidLockError,
    LockError,
    LockLostError,
    LocksClosedError,
    LockTakenError,
    LockUnreachableError,
)
from app.workers.services.holder import Holder, LockView
from app.workers.services.lock import Lock
from app.workers.services.locked import locked

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
]
