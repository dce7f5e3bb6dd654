"""The names of the limits' keys in Redis; nothing else spells one. On a Cluster all keys of one limit lie together."""

from bullworks.limits.errors import InvalidLimitError

LONGEST_NAME_CHARS = 200


class LimitKeys:
    """The keys of one limit.

    Args:
        name: of the limit: 1 .. 200 printable characters, no braces, which mark what a Cluster hashes.

    Raises:
        InvalidLimitError: the name cannot be used.
    """

    __slots__ = ("_base", "name")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME_CHARS:
            raise InvalidLimitError(name, f"a limit's name is a str of 1 .. {LONGEST_NAME_CHARS} characters")
        if not name.isprintable() or "{" in name or "}" in name:
            raise InvalidLimitError(name, "a limit's name is printable and has no { or }")
        self.name = name
        self._base = f"bullworks:limit:{{{name}}}"

    def usage(self, key: str) -> str:
        """The Redis key that holds what one key of the limit has used; "" is the limit as a whole.

        Raises:
            InvalidLimitError: the key is not text of at most 200 printable characters.
        """
        if not isinstance(key, str) or len(key) > LONGEST_NAME_CHARS or not key.isprintable():
            raise InvalidLimitError(
                self.name, f"a key is a str of at most {LONGEST_NAME_CHARS} printable characters, not {key!r}"
            )
        return f"{self._base}:{key}"
