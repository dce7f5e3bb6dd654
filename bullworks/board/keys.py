"""Keys of the board's own in Redis."""


def audit_of(prefix: str) -> str:
    """Stream: one entry a mutation, bounded. It holds the queues' prefix, and with it its {tag}: on a cluster it is
    where they are."""
    return f"bullworks:board:audit:{prefix}"
