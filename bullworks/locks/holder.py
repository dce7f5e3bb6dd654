"""Who holds a lock, for people to read: nothing is decided by it."""

import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """The process and lock service that hold a lock.

    Attributes:
        host: the machine's or the container's name.
        pid: of the process on it.
        instance: of the DistributedLockService, random.
    """

    host: str
    pid: int
    instance: str

    @classmethod
    def here(cls, instance: str) -> "Holder":
        """Describe this process as a holder."""
        return cls(socket.gethostname(), os.getpid(), instance)


@dataclass(frozen=True, slots=True)
class LockView:
    """A held lock, as of when it was read.

    Attributes:
        name: of the lock.
        holder: who acquired it.
        fence: its fencing number.
        time_left_ms: until it runs out unless it is extended.
        acquired_at_ms: since when, by Redis's clock, ms since the epoch.
        waiting: how many wait for it.
    """

    name: str
    holder: Holder
    fence: int
    time_left_ms: int
    acquired_at_ms: int
    waiting: int
