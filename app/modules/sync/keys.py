"""The names of this feature's keys in Redis; nothing else spells one."""


def snapshot_key(source: str) -> str:
    """hash: the last copy of a source's data."""
    return f"bullworks:sync:{{{source}}}"
