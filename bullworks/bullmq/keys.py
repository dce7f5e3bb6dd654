"""The names of BullMQ's keys in Redis. Nothing else spells one. Source: BullMQ 6.7's layout, see README.md."""

from base64 import b64encode
from typing import NamedTuple

RESERVED_IDS = frozenset(
    {
        "id", "meta", "wait", "paused", "active", "prioritized", "pc", "delayed", "completed", "failed",
        "waiting-children", "marker", "stalled", "stalled-check", "limiter", "events", "repeat",
    }
)  # fmt: skip
"""What follows the base in the queue's own keys: a job with such an id would overwrite one."""

_OWN_GROUPS = frozenset({"bw", "de", "dn", "metrics", "repeat"})
_JOB_PARTS = frozenset({"logs", "dependencies", "processed", "failed", "unsuccessful", "lock"})


class ChildKeys(NamedTuple):
    """The keys that list a job's children, by how these ended."""

    processed: str
    unprocessed: str
    ignored: str
    failed: str


class QueueKeys:
    """The Redis keys of one queue. All begin with `base`, `<prefix>:<queue>:`; scripts append the rest."""

    __slots__ = ("base", "name", "prefix")

    def __init__(self, prefix: str, name: str) -> None:
        self.prefix = prefix
        self.name = name
        self.base = f"{prefix}:{name}:"

    @classmethod
    def of_job(cls, key: str, prefix: str) -> tuple["QueueKeys", str]:
        """Split a job's key into queue and id.

        A queue's name holds no ":", an id may; another prefix than `prefix` is recognised by the last ":".
        """
        if key.startswith(f"{prefix}:"):
            name, _, job_id = key.removeprefix(f"{prefix}:").partition(":")
            return cls(prefix, name), job_id
        rest, _, job_id = key.rpartition(":")
        other_prefix, _, name = rest.rpartition(":")
        return cls(other_prefix, name), job_id

    def job_id_of(self, key: str) -> str | None:
        """The id of the job that a key belongs to; None for a key of the queue itself or of a scheduler."""
        suffix = key.removeprefix(self.base)
        first, _, _ = suffix.partition(":")
        if suffix in RESERVED_IDS or first in RESERVED_IDS or first in _OWN_GROUPS or suffix == "priority":
            return None
        job_id, _, part = suffix.rpartition(":")
        return job_id if job_id and part in _JOB_PARTS else suffix

    def of(self, suffix: str) -> str:
        """The key of a part of the queue (`wait`, `meta` ...), or of a job's hash, by its id."""
        return self.base + suffix

    def logs(self, job_id: str) -> str:
        return f"{self.base}{job_id}:logs"

    def lock(self, job_id: str) -> str:
        """The token of the worker that holds the job."""
        return f"{self.base}{job_id}:lock"

    def children(self, job_id: str) -> ChildKeys:
        key = self.of(job_id)
        return ChildKeys(f"{key}:processed", f"{key}:dependencies", f"{key}:failed", f"{key}:unsuccessful")

    def deduplication(self, deduplication_id: str) -> str:
        return f"{self.base}de:{deduplication_id}"

    @property
    def groups(self) -> str:
        """The groups that have jobs."""
        return f"{self.base}bw:groups"

    @property
    def group_limits(self) -> str:
        return f"{self.base}bw:limits"

    def group(self, group_id: str) -> str:
        """The jobs of a group."""
        return f"{self.base}bw:group:{group_id}"

    def events_client_name(self) -> str:
        """The client name of a QueueEvents' connection, as in Node."""
        return f"{self.client_name(None)}:qe"

    def cancels(self) -> str:
        """The stream of requests to workers to stop jobs: ours alone, and only for a minute after one was cancelled."""
        return f"{self.base}bw:cancels"

    def cancels_client_name(self) -> str:
        """Name the connection that listens for cancellations; to Node it is neither a worker nor a listener."""
        return f"{self.client_name(None)}:bw:cancels"

    def scheduler(self, scheduler_id: str) -> str:
        return f"{self.base}repeat:{scheduler_id}"

    def client_name(self, worker_name: str | None) -> str:
        """The client name of a worker's blocking connection, by which Node's getWorkers() and Bull Board find it."""
        name = f"{self.prefix}:{b64encode(self.name.encode()).decode()}"
        return f"{name}:w:{worker_name}" if worker_name else name
