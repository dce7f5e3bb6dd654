"""The names of this feature's keys in Redis; nothing else spells one."""


def snapshot_key(source: str) -> str:
    """Build the key of a hash with the last copy of a source's data."""
    return f"bullworks:sync:{{{source}}}"
