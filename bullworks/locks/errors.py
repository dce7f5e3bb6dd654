"""What can go wrong with a distributed lock. A lock held elsewhere is an error for `hold` only."""

from dataclasses import dataclass

from bullworks.core import CoreError


class LockError(CoreError):
    """Base of the errors of locks."""


@dataclass(eq=False)
class InvalidLockError(LockError, ValueError):
    """A lock's name or an option is invalid."""

    name: object
    reason: str

    def __str__(self) -> str:
        return f"lock {self.name!r}: {self.reason}"


@dataclass(eq=False)
class LockTakenError(LockError):
    """The lock was not acquired: another holder has it, or has waited for it longer."""

    name: str
    waited_ms: int

    def __str__(self) -> str:
        waited = f" after waiting for {self.waited_ms} ms" if self.waited_ms else ""
        return f"lock {self.name!r} is held elsewhere{waited}; give hold() a longer wait, or do without"


@dataclass(eq=False)
class LockLostError(LockError):
    """The lock expired, or another holder has it: it no longer protects anything."""

    name: str
    fence: int

    def __str__(self) -> str:
        return (
            f"lock {self.name!r} (fence {self.fence}) is no longer held: the work outlived its ttl. "
            "Raise the ttl, extend the lock, or acquire it with auto_extend=True"
        )


@dataclass(eq=False)
class LockUnreachableError(LockError):
    """Redis did not answer in time: whether the lock is free is not known."""

    name: str
    server: str
    within_ms: int

    def __str__(self) -> str:
        return (
            f"lock {self.name!r}: no answer from Redis at {self.server} that came in time, within {self.within_ms} ms"
        )


@dataclass(eq=False)
class LocksClosedError(LockError):
    """The lock service is closed, as at the end of the application."""

    name: str

    def __str__(self) -> str:
        return f"lock {self.name!r} cannot be acquired: the DistributedLockService is closed"
