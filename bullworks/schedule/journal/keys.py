"""The names of the crons' keys in Redis; nothing else spells one. On a Cluster the keys of one cron lie together."""

NAMES = "bullworks:cron:names"
"""The names of crons with records, by when a process last began to write them. No cron's key: those have a brace."""

_LONGEST_NAME_CHARS = 200


def checked_name(name: object) -> str:
    """Validate a job's name. Raises ValueError."""
    is_name = isinstance(name, str) and name.isprintable() and 0 < len(name) <= _LONGEST_NAME_CHARS
    if not isinstance(name, str) or not is_name or "{" in name or "}" in name:
        raise ValueError(f"name must be 1 to {_LONGEST_NAME_CHARS} printable characters and no braces, not {name!r}")
    return name


class CronKeys:
    """The Redis keys of one cron.

    Args:
        name: of the cron: printable, no braces, which mark what a Cluster hashes.
    """

    __slots__ = ("_base", "misses", "name", "open", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self._base = f"bullworks:cron:{{{name}}}:"
        self.state = f"{self._base}state"
        self.open = f"{self._base}open"
        self.misses = f"{self._base}misses"

    def claim(self, tick_ms: int) -> str:
        """Build the key that holds the claim of a tick."""
        return f"{self._base}claim:{tick_ms}"
