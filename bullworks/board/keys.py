"""Keys of the board's own in Redis."""


def audit_of(prefix: str) -> str:
    """Build the key of the audit trail: a bounded stream, one entry per mutation.

    It contains the queues' prefix, and so their {tag}: on a cluster the stream is on the queues' node.
    """
    return f"bullworks:board:audit:{prefix}"
