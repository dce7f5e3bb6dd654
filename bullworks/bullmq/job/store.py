"""What a Job needs of wherever it lies: JobScripts in Redis, StubStore in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.events.waiting import EndingSnapshot, EventSource
from bullworks.bullmq.job.dependencies import Dependencies, DependenciesCount, Pages
from bullworks.bullmq.job.outcome import Advanced, Outcome, OutcomeRules
from bullworks.bullmq.job.state import FinishedState, JobState
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.bullmq.wire.payload_type import PayloadTypes


@dataclass(frozen=True, slots=True)
class JobLogs:
    """A page of a job's log, as `get_job_logs` returns it.

    Attributes:
        logs: the lines of the page.
        count: how many lines there are in all.
    """

    logs: list[str]
    count: int


class JobStore(Protocol):
    """Reads and writes jobs by id; scripts/job.py documents each method."""

    keys: QueueKeys
    events: EventSource | None
    rules: OutcomeRules
    tracing: Tracing | None
    payload_types: PayloadTypes | None

    async def read_fields(self, job_id: str, /) -> dict[bytes, bytes]: ...

    async def update_progress(self, job_id: str, /, progress: bytes) -> None: ...

    async def update_data(self, job_id: str, /, data: bytes) -> None: ...

    async def add_log(self, job_id: str, /, row: str, keep: int | None) -> int: ...

    async def read_logs(self, job_id: str, /, start: int, end: int) -> JobLogs: ...

    async def get_state(self, job_id: str, /) -> JobState: ...

    async def read_ending(self, job_id: str, /) -> EndingSnapshot: ...

    async def remove_job(self, job_id: str, /, *, children: bool) -> None: ...

    async def reprocess_job(
        self,
        job_id: str,
        /,
        state: FinishedState,
        *,
        lifo: bool,
        resets_made: bool,
        resets_started: bool,
        forgets: Sequence[bytes] = (),
    ) -> None: ...

    async def promote_job(self, job_id: str, /) -> None: ...

    async def change_delay(self, job_id: str, /, delay_ms: int) -> None: ...

    async def change_priority(self, job_id: str, /, priority: int, *, lifo: bool) -> None: ...

    async def clear_logs(self, job_id: str, /, keep: int) -> None: ...

    async def advance_one(self, outcome: Outcome, operation: str, *, fetch_next: bool = False) -> Advanced: ...

    async def checkpoint(self, job_id: str, /, token: str, field: bytes, text: bytes) -> None: ...

    async def suspend_one(self, outcome: Outcome, /) -> Advanced: ...

    async def extend_lock(self, job_id: str, /, token: str, duration_ms: int) -> bool: ...

    async def cancel_jobs(
        self, job_ids: Sequence[str], reason: str, /, *, removes: bool, children: bool
    ) -> list[CancelOutcome]: ...

    async def dependencies(self, job_id: str, /) -> Dependencies: ...

    async def dependency_pages(self, job_id: str, /, pages: Pages) -> Dependencies: ...

    async def dependencies_count(self, job_id: str, /) -> DependenciesCount: ...

    async def remove_child_dependency(self, job_id: str, /) -> bool: ...

    async def remove_unprocessed_children(self, job_id: str, /) -> int: ...

    async def remove_deduplication_key(self, deduplication_id: str, /, job_id: str) -> bool: ...
