"""File locks between the processes that use one data folder.

The kernel frees a flock when its last holder ends, however it ends, so no lock file is ever stale.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_POLL_S = 0.02


class FileLock:
    """A held flock; it lasts until `release`, or until every process that inherited it has ended."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    @classmethod
    def try_take(cls, path: Path, *, shared: bool = False) -> FileLock | None:
        """Take the lock without waiting; None if another process holds it."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        return cls(fd)

    @classmethod
    def take(cls, path: Path, deadline_s: float, *, shared: bool = False) -> FileLock:
        """Take the lock, waiting until `deadline_s` on the monotonic clock.

        Raises:
            TimeoutError: another process still holds it then.
        """
        while True:
            lock = cls.try_take(path, shared=shared)
            if lock is not None:
                return lock
            if time.monotonic() >= deadline_s:
                raise TimeoutError(f"{path} is locked by another process")
            time.sleep(_POLL_S)

    @classmethod
    def is_held(cls, path: Path) -> bool:
        """Whether a process holds the lock exclusively. Takes it for an instant, so takers must retry."""
        lock = cls.try_take(path, shared=True)
        if lock is None:
            return True
        lock.release()
        return False

    @property
    def fd(self) -> int:
        """The lock's file descriptor, to be passed to a child that shall hold the lock too."""
        if self._fd is None:
            raise ValueError("the lock was released")
        return self._fd

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` is still the locked one: the folder may have been removed."""
        try:
            there = path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self.fd))

    def sign(self) -> None:
        """Write this process's id into the lock file, for diagnosis."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock in this process; twice is fine."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
