"""Jobs that are added together: what `Queue.add_bulk` takes, and how many of them go in one trip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import Unpack

from app.bullmq.new_job import NewJob
from app.bullmq.options import JobOptions

NO_DATA: dict[str, Any] = {}

# Redis runs a script to its end: a chunk is what may hold up everybody else, some 5 ms.
_JOBS_A_CALL = 500
_BYTES_A_CALL = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job of `Queue.add_bulk`: `JobSpec("welcome-email", {"n": 1}, priority=1)`."""

    name: str
    data: Any
    opts: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, name: str, data: Any = NO_DATA, **opts: Unpack[JobOptions]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "opts", opts)


def chunks(jobs: list[NewJob]) -> Iterable[list[NewJob]]:
    """In their order, as many as one call may store."""
    chunk: list[NewJob] = []
    size = 0
    for job in jobs:
        if chunk and (len(chunk) == _JOBS_A_CALL or size + len(job.data) > _BYTES_A_CALL):
            yield chunk
            chunk, size = [], 0
        chunk.append(job)
        size += len(job.data)
    if chunk:
        yield chunk
