"""The names of BullMQ's keys in Redis. Nothing else spells one. Source: BullMQ 6.7's layout, see README.md."""

from base64 import b64encode

RESERVED_IDS = frozenset(
    {
        "id", "meta", "wait", "paused", "active", "prioritized", "pc", "delayed", "completed", "failed",
        "waiting-children", "marker", "stalled", "stalled-check", "limiter", "events", "repeat",
    }
)  # fmt: skip
"""What follows the base in the queue's own keys: a job with such an id would overwrite one."""

_OWN_GROUPS = frozenset({"bw", "de", "dn", "metrics", "repeat"})
_JOB_PARTS = frozenset({"logs", "dependencies", "processed", "failed", "unsuccessful", "lock"})


class QueueKeys:
    """The keys of one queue. All begin with `base`, `<prefix>:<queue>:`; scripts take that and add the rest."""

    __slots__ = ("base", "name", "prefix")

    def __init__(self, prefix: str, name: str) -> None:
        self.prefix = prefix
        self.name = name
        self.base = f"{prefix}:{name}:"

    @classmethod
    def of_job(cls, key: str, prefix: str) -> tuple["QueueKeys", str]:
        """The queue and the id of a job's key.

        A queue's name holds no ":", an id may; another prefix than `prefix` is told by the last ":".
        """
        if key.startswith(f"{prefix}:"):
            name, _, job_id = key.removeprefix(f"{prefix}:").partition(":")
            return cls(prefix, name), job_id
        rest, _, job_id = key.rpartition(":")
        other_prefix, _, name = rest.rpartition(":")
        return cls(other_prefix, name), job_id

    def job_id_of(self, key: str) -> str | None:
        """Whose hash, log or other part a key of the queue is; None: it is the queue's own, or a scheduler's."""
        suffix = key.removeprefix(self.base)
        first, _, _ = suffix.partition(":")
        if suffix in RESERVED_IDS or first in RESERVED_IDS or first in _OWN_GROUPS or suffix == "priority":
            return None
        job_id, _, part = suffix.rpartition(":")
        return job_id if job_id and part in _JOB_PARTS else suffix

    def of(self, suffix: str) -> str:
        """A key of the queue itself (`wait`, `meta` ...) or the hash of a job, by its id."""
        return self.base + suffix

    def logs(self, job_id: str) -> str:
        return f"{self.base}{job_id}:logs"

    def deduplication(self, deduplication_id: str) -> str:
        return f"{self.base}de:{deduplication_id}"

    @property
    def groups(self) -> str:
        """Which groups have jobs."""
        return f"{self.base}bw:groups"

    @property
    def group_limits(self) -> str:
        return f"{self.base}bw:limits"

    def group(self, group_id: str) -> str:
        """The jobs of a group."""
        return f"{self.base}bw:group:{group_id}"

    def events_client_name(self) -> str:
        """What a QueueEvents' connection is called, as in Node."""
        return f"{self.client_name(None)}:qe"

    def scheduler(self, scheduler_id: str) -> str:
        return f"{self.base}repeat:{scheduler_id}"

    def client_name(self, worker_name: str | None) -> str:
        """What a worker's blocking connection is called, so that Node's getWorkers() and Bull Board list it."""
        name = f"{self.prefix}:{b64encode(self.name.encode()).decode()}"
        return f"{name}:w:{worker_name}" if worker_name else name
