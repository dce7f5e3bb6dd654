"""Keys of the board's own in Redis."""


def audit_of(prefix: str) -> str:
    """Stream: one entry a mutation, bounded. It holds the queues' prefix, and with it its {tag}: on a cluster it is
    where they are."""
    return f"bullworks:board:audit:{prefix}"


def children_of(job_key: str) -> dict[str, str]:
    """Where the children of a job are listed, by how they ended; BullMQ's own keys."""
    return {
        "processed": f"{job_key}:processed",
        "unprocessed": f"{job_key}:dependencies",
        "failed": f"{job_key}:unsuccessful",
        "ignored": f"{job_key}:failed",
    }


def lock_of(job_key: str) -> str:
    """The token of the worker that holds a job; BullMQ's own key."""
    return f"{job_key}:lock"
