"""The slot of a key in a cluster. Pure."""

from redis.crc import key_slot


def slot_of(key: str | bytes) -> int:
    """0 .. 16383; of the part between the first { and the } after it, where there is one and it is not empty."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def has_tag(key: str) -> bool:
    """Whether all keys that begin so lie in one slot."""
    _, brace, rest = key.partition("{")
    return bool(brace) and rest.find("}") > 0
