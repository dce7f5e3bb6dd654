"""Keys of the board's own in Redis."""


def audit_of(prefix: str) -> str:
    """Build the key of the audit trail: a bounded stream, one entry per mutation.

    It contains the queues' prefix, and so their {tag}: on a cluster the stream is on the queues' node.
    """
    return f"bullworks:board:audit:{prefix}"


def children_of(job_key: str) -> dict[str, str]:
    """Build the keys that list a job's children by how they ended; BullMQ's own keys."""
    return {
        "processed": f"{job_key}:processed",
        "unprocessed": f"{job_key}:dependencies",
        "failed": f"{job_key}:unsuccessful",
        "ignored": f"{job_key}:failed",
    }


def lock_of(job_key: str) -> str:
    """Build the key that holds the token of a job's worker; BullMQ's own key."""
    return f"{job_key}:lock"
