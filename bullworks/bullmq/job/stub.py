"""Where a job of `Job.stub` lies: in memory, and, as far as anybody can see, active.

It answers as Redis would for a job that a worker holds, so there are no states to keep and none to get wrong.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.errors import JobLockedError, JobStateError, ParentError
from bullworks.bullmq.events.event_id import BEFORE_ALL
from bullworks.bullmq.events.waiting import EndingSnapshot, EventSource
from bullworks.bullmq.job.dependencies import Dependencies, DependenciesCount, Pages
from bullworks.bullmq.job.outcome import Advanced, Outcome, OutcomeRules
from bullworks.bullmq.job.state import FinishedState, JobState
from bullworks.bullmq.job.store import JobLogs
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.payload_type import PayloadTypes


def stub_fields(name: str, data: Any, options: Mapping[str, Any], attempts_made: int) -> dict[bytes, bytes]:
    """Build the hash of a job that was just taken by a worker.

    Raises:
        InvalidOptionError, InvalidPayloadError: as Queue.add does.
    """
    opts = JobOpts.of(options)
    now_ms = b"%d" % (time.time_ns() // 1_000_000)
    return {
        codec.NAME: name.encode(),
        codec.DATA: payload.encode(data),
        codec.OPTS: codec.encode_opts(opts),
        codec.TIMESTAMP: now_ms,
        codec.DELAY: b"0",
        codec.PRIORITY: b"%d" % opts.priority,
        codec.PROCESSED_ON: now_ms,
        codec.ATTEMPTS_STARTED: b"%d" % (attempts_made + 1),
        codec.ATTEMPTS_MADE: b"%d" % attempts_made,
    }


class StubStore:
    """A job store that holds a single job, whatever the id."""

    def __init__(
        self,
        fields: dict[bytes, bytes],
        children_values: Mapping[str, Any] | None = None,
        payload_types: PayloadTypes | None = None,
    ) -> None:
        self.keys = QueueKeys("stub", "stub")
        self.events: EventSource | None = None
        self.rules = OutcomeRules()
        self.tracing: Tracing | None = None
        self.payload_types = payload_types
        self._fields = dict(fields)
        self._logs: list[str] = []
        self._children_values = children_values or {}

    async def read_fields(self, _job_id: str) -> dict[bytes, bytes]:
        return dict(self._fields)

    async def update_progress(self, _job_id: str, progress: bytes) -> None:
        self._fields[codec.PROGRESS] = progress

    async def update_data(self, _job_id: str, data: bytes) -> None:
        self._fields[codec.DATA] = data

    async def add_log(self, _job_id: str, row: str, keep: int | None) -> int:
        self._logs.append(row)
        if keep is not None:
            del self._logs[: max(len(self._logs) - keep, 0)]
        return len(self._logs)

    async def read_logs(self, _job_id: str, start: int, end: int) -> JobLogs:
        stop = end + 1 or None  # both ends count, as in Redis
        return JobLogs(self._logs[start:stop], len(self._logs))

    async def get_state(self, _job_id: str) -> JobState:
        return "active"

    async def read_ending(self, _job_id: str) -> EndingSnapshot:
        return EndingSnapshot(None, BEFORE_ALL)

    async def dependencies(self, _job_id: str) -> Dependencies:
        return Dependencies(dict(self._children_values))

    async def dependency_pages(self, _job_id: str, pages: Pages) -> Dependencies:
        # As few as a stub has come all at once from Redis, too.
        return Dependencies(
            dict(self._children_values) if pages.processed else {},
            next_processed_cursor=0 if pages.processed else None,
            next_unprocessed_cursor=0 if pages.unprocessed else None,
            next_ignored_cursor=0 if pages.ignored else None,
            next_failed_cursor=0 if pages.failed else None,
        )

    async def dependencies_count(self, _job_id: str) -> DependenciesCount:
        return DependenciesCount(len(self._children_values), 0, 0, 0)

    async def remove_child_dependency(self, job_id: str) -> bool:
        raise ParentError(job_id, "its parent", "a stub has none")

    async def remove_unprocessed_children(self, _job_id: str) -> int:
        return 0

    async def remove_deduplication_key(self, _deduplication_id: str, job_id: str) -> bool:  # noqa: ARG002
        return False

    async def cancel_jobs(self, job_ids: Sequence[str], _reason: str, **_: bool) -> list[CancelOutcome]:
        # There is no worker that would be told.
        return ["requested" for _ in job_ids]

    async def remove_job(self, job_id: str, **_: bool) -> None:
        raise JobLockedError(job_id, "remove")

    async def reprocess_job(self, job_id: str, state: FinishedState, **_: Any) -> None:
        raise JobStateError(job_id, "retry", state)

    async def promote_job(self, job_id: str) -> None:
        raise JobStateError(job_id, "promote", "delayed")

    async def change_delay(self, job_id: str, delay_ms: int) -> None:  # noqa: ARG002 - as JobScripts has it
        raise JobStateError(job_id, "change_delay", "delayed")

    async def change_priority(self, _job_id: str, priority: int, **_: bool) -> None:
        self._fields[codec.PRIORITY] = b"%d" % priority

    async def clear_logs(self, _job_id: str, keep: int) -> None:
        del self._logs[: max(len(self._logs) - keep, 0)]

    async def advance_one(self, outcome: Outcome, operation: str, *, fetch_next: bool = False) -> Advanced:  # noqa: ARG002
        # The children of a stub have all completed, and there is no other job.
        return Advanced(outcome.kind != "wait_for_children", time.time_ns() // 1_000_000)

    async def checkpoint(self, _job_id: str, token: str, field: bytes, text: bytes) -> None:  # noqa: ARG002
        self._fields[field] = text

    async def suspend_one(self, outcome: Outcome) -> Advanced:
        return await self.advance_one(outcome, "suspend")

    async def extend_lock(self, _job_id: str, token: str, duration_ms: int) -> bool:  # noqa: ARG002
        return True
