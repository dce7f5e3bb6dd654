"""WorkerRecord: what a worker says of itself."""

import json
import os
import socket
from dataclasses import asdict, dataclass, fields
from platform import python_version
from typing import Any

from bullworks import __version__
from bullworks.bullmq import Worker

_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker as of its last heartbeat.

    Attributes:
        id: what the locks of its jobs begin with.
        name: its own; "" where it has none.
        host, pid: the process.
        version, python: of Bullworks, and of Python.
        concurrency: handlers that may run at once.
        held: handlers that ran.
        lock_ms: how long its locks live unless they are renewed.
        is_paused: it takes no jobs.
        started_at_ms: since when, by the clock of its machine.
        age_ms: since the heartbeat, by Redis's clock.
    """

    id: str
    name: str = ""
    host: str = ""
    pid: int = 0
    version: str = ""
    python: str = ""
    concurrency: int = 0
    held: int = 0
    lock_ms: int = 0
    is_paused: bool = False
    started_at_ms: int = 0
    age_ms: int = 0

    @classmethod
    def of(cls, worker: Worker[Any, Any], started_at_ms: int) -> "WorkerRecord":
        """Describe a worker of this process in its present state."""
        return cls(
            id=worker.id,
            name=(worker.name or "")[:_LONGEST_TEXT],
            host=socket.gethostname()[:_LONGEST_TEXT],
            pid=os.getpid(),
            version=__version__,
            python=python_version(),
            concurrency=worker.concurrency,
            held=len(worker.active_jobs),
            lock_ms=worker.opts.lock_duration_ms,
            is_paused=worker.is_paused,
            started_at_ms=started_at_ms,
        )

    def encode(self) -> bytes:
        """Encode the record as stored in Redis."""
        said = asdict(self)
        del said["id"], said["age_ms"]
        return json.dumps(said, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, worker_id: str, age_ms: int, encoded: bytes) -> "WorkerRecord":
        """Decode a stored record, maybe of another version: invalid fields are left out."""
        try:
            stored = json.loads(encoded)
        except (ValueError, RecursionError):
            stored = {}
        said = stored if isinstance(stored, dict) else {}
        known = {
            each.name: said[each.name]
            for each in fields(cls)
            if each.name not in {"id", "age_ms"} and type(said.get(each.name)) is each.type
        }
        return cls(id=worker_id, age_ms=age_ms, **known)
