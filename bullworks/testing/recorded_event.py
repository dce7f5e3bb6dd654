"""What happened to a harness's queue."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event, as QueueEvents would have delivered it.

    Attributes:
        name: `added`, `waiting`, `waiting_children`, `delayed`, `active`, `progress`, `completed`, `failed`,
            `retries_exhausted`, `deduplicated`, `duplicated`, `removed`, `drained`, `paused` or `resumed`.
        args: what it tells, `job_id` among it where it is of a job.
        at_ms: by the harness's clock.
    """

    name: str
    args: dict[str, Any]
    at_ms: int

    @property
    def job_id(self) -> str | None:
        """The id of the job that the event concerns."""
        return self.args.get("job_id")
