"""What a Job needs of wherever it lies: JobScripts in Redis, StubStore in memory."""

from typing import Protocol

from app.bullmq.job_logs import JobLogs
from app.bullmq.job_state import FinishedState, JobState
from app.bullmq.keys import QueueKeys


class JobStore(Protocol):
    """Jobs by id; what each method does and raises is said in job_scripts.py."""

    keys: QueueKeys

    async def read_fields(self, job_id: str, /) -> dict[bytes, bytes]: ...

    async def update_progress(self, job_id: str, /, progress: bytes) -> None: ...

    async def update_data(self, job_id: str, /, data: bytes) -> None: ...

    async def add_log(self, job_id: str, /, row: str, keep: int | None) -> int: ...

    async def read_logs(self, job_id: str, /, start: int, end: int) -> JobLogs: ...

    async def get_state(self, job_id: str, /) -> JobState: ...

    async def remove_job(self, job_id: str, /, *, children: bool) -> None: ...

    async def reprocess_job(
        self, job_id: str, /, state: FinishedState, *, lifo: bool, resets_made: bool, resets_started: bool
    ) -> None: ...

    async def promote_job(self, job_id: str, /) -> None: ...
