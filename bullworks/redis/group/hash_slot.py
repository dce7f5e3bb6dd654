"""The slot of a key in a cluster. Pure."""

from redis.crc import key_slot


def slot_of(key: str | bytes) -> int:
    """Compute a key's cluster slot, 0 .. 16383, from its non-empty {tag} if it has one."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def has_tag(key: str) -> bool:
    """Whether all keys with this prefix share one cluster slot."""
    _, brace, rest = key.partition("{")
    return bool(brace) and rest.find("}") > 0
