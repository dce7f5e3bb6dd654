"""The names of the locks' keys in Redis; nothing else spells one. On a Cluster the keys of one lock lie together."""

from bullworks.locks.errors import InvalidLockError

NAMES = "bullworks:lock:names"
"""The names of locks that were asked for lately. No lock's key: those have a brace."""

LONGEST_NAME_CHARS = 200


class LockKeys:
    """The keys of one lock.

    Args:
        name: of the lock: 1 .. 200 printable characters, no braces, which mark what a Cluster hashes.

    Raises:
        InvalidLockError: the name cannot be used.
    """

    __slots__ = ("fence", "line", "lock", "name", "seen")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME_CHARS:
            raise InvalidLockError(name, f"a lock's name is a str of 1 .. {LONGEST_NAME_CHARS} characters")
        if not name.isprintable() or "{" in name or "}" in name:
            raise InvalidLockError(name, "a lock's name is printable and has no { or }")
        self.name = name
        self.lock = f"bullworks:lock:{{{name}}}"
        self.fence = f"{self.lock}:fence"
        self.line = f"{self.lock}:line"
        self.seen = f"{self.lock}:seen"


def notification_list(instance: str) -> str:
    """Build the key of the list by which a lock service is called when its waiting tokens may proceed."""
    return f"bullworks:lock:told:{instance}"
