"""What can go wrong with a distributed lock. That somebody else holds it is no error but for `hold`."""

from bullworks.core import CoreError


class LockError(CoreError):
    """Base of the errors of locks."""


class InvalidLockError(LockError, ValueError):
    """A lock's name or an option is invalid."""

    def __init__(self, name: object, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"lock {self.name!r}: {self.reason}"


class LockTakenError(LockError):
    """The lock was not acquired: another holder has it, or has waited for it longer."""

    def __init__(self, name: str, waited_ms: int) -> None:
        super().__init__(name, waited_ms)
        self.name = name
        self.waited_ms = waited_ms

    def __str__(self) -> str:
        waited = f" after waiting for {self.waited_ms} ms" if self.waited_ms else ""
        return f"lock {self.name!r} is held elsewhere{waited}; give hold() a longer wait, or do without"


class LockLostError(LockError):
    """The lock expired, or another holder has it: it no longer protects anything."""

    def __init__(self, name: str, fence: int) -> None:
        super().__init__(name, fence)
        self.name = name
        self.fence = fence

    def __str__(self) -> str:
        return (
            f"lock {self.name!r} (fence {self.fence}) is no longer held: the work outlived its ttl. "
            "Raise the ttl, extend the lock, or acquire it with auto_extend=True"
        )


class LockUnreachableError(LockError):
    """Redis did not answer in time: whether the lock is free is not known."""

    def __init__(self, name: str, server: str, within_ms: int) -> None:
        super().__init__(name, server, within_ms)
        self.name = name
        self.server = server
        self.within_ms = within_ms

    def __str__(self) -> str:
        return (
            f"lock {self.name!r}: no answer from Redis at {self.server} that came in time, within {self.within_ms} ms"
        )


class LocksClosedError(LockError):
    """The lock service is closed, as at the end of the application."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"lock {self.name!r} cannot be acquired: the DistributedLockService is closed"
