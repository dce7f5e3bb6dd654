"""MemoryScripts: what a queue and its jobs do in Redis, done in memory; what is not here is refused by name."""

from collections.abc import Iterable, Sequence
from typing import NoReturn

from bullworks.bullmq import CancelOutcome, FinishedState, Job, JobLogs, JobState
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId
from bullworks.bullmq.events.waiting import EndingSnapshot, EventSource, JobEnding
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.job.outcome import Advanced, Outcome, OutcomeRules
from bullworks.bullmq.job.state import state_of
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.scripts.steps import SignalOutcome
from bullworks.bullmq.wire import codec
from bullworks.bullmq.wire.step_codec import StepMark, decode_marks
from bullworks.redis import ServerError
from bullworks.testing.errors import NotSimulatedError
from bullworks.testing.memory.cancelling import cancel
from bullworks.testing.memory.family_scripts import MemoryFamilyScripts
from bullworks.testing.memory.flows import refuse
from bullworks.testing.memory.groups import MemoryGroupScripts
from bullworks.testing.memory.job import flatten, slice_page
from bullworks.testing.memory.jobs import MemoryJobs
from bullworks.testing.memory.no_server import NoServerConnection
from bullworks.testing.memory.steps import signal

_NO_LOCK, _FOREIGN_LOCK = -2, -6


class MemoryScripts(MemoryFamilyScripts, MemoryGroupScripts, Scripts):
    """In-memory versions of a queue's scripts; Scripts documents each method and its errors.

    Methods that are not overridden come to a NowhereConnection, which raises NotSimulatedError.
    """

    def __init__(self, jobs: MemoryJobs, connection: NoServerConnection, keys: QueueKeys, events: EventSource) -> None:
        super().__init__(connection, keys, events, rules=OutcomeRules())
        self.jobs = jobs

    async def add_jobs(self, jobs: Iterable[NewJob]) -> tuple[int, list[str]]:
        added = list(jobs)
        refuse([(self.jobs, job) for job in added], self.jobs.family)
        return self.jobs.now_ms, [self.jobs.add(job) for job in added]

    async def now_ms(self) -> int:
        return self.jobs.now_ms

    async def register_queue(self, version: str) -> bool:  # noqa: ARG002 - as Scripts has it
        return False

    async def store_max_len(self, max_len: int, version: str) -> None:
        """Do nothing: a harness keeps every event."""

    async def read_fields(self, job_id: str) -> dict[bytes, bytes]:
        job = self.jobs.find(job_id)
        return {} if job is None else dict(job.fields)

    async def hashes(self, job_ids: Sequence[str]) -> list[tuple[str, Sequence[bytes] | ServerError]]:
        return [(job_id, flatten(await self.read_fields(job_id))) for job_id in job_ids]

    async def ids(self, suffixes: Sequence[str], start: int, end: int, *, asc: bool) -> list[str]:
        pages = [slice_page(self.jobs.lines.get(suffix, ()), start, end, asc=asc) for suffix in suffixes]
        return list(dict.fromkeys(job_id for page in pages for job_id in page))

    async def count_jobs(self, suffixes: Sequence[str]) -> list[int]:
        return [len(self.jobs.lines.get(suffix, ())) for suffix in suffixes]

    async def get_state(self, job_id: str) -> JobState:
        job = self.jobs.find(job_id)
        return state_of(None if job is None or job.state is None else job.state.encode())

    async def read_ending(self, job_id: str) -> EndingSnapshot:
        job = self.jobs.find(job_id)
        if job is None:
            return EndingSnapshot(JobEnding("removed", b""), BEFORE_ALL)
        newest = EventId(len(self.jobs.events), 0)
        if job.state == "completed":
            return EndingSnapshot(JobEnding("completed", job.fields[codec.RETURN_VALUE]), newest)
        if job.state == "failed":
            return EndingSnapshot(JobEnding("failed", job.fields[codec.FAILED_REASON]), newest)
        return EndingSnapshot(None, newest)

    async def update_progress(self, job_id: str, progress: bytes) -> None:
        self.jobs.progress(self.jobs.there(job_id, "update_progress"), progress)

    async def update_data(self, job_id: str, data: bytes) -> None:
        self.jobs.there(job_id, "update_data").fields[codec.DATA] = data

    async def add_log(self, job_id: str, row: str, keep: int | None) -> int:
        logs = self.jobs.there(job_id, "log").logs
        logs.append(row)
        if keep is not None:
            del logs[: max(len(logs) - keep, 0)]
        return len(logs)

    async def read_logs(self, job_id: str, start: int, end: int, *, asc: bool = True) -> JobLogs:
        job = self.jobs.find(job_id)
        rows = [] if job is None else job.logs
        return JobLogs(slice_page(rows, start, end, asc=asc), len(rows))

    async def clear_logs(self, job_id: str, keep: int) -> None:
        job = self.jobs.find(job_id)
        if job is not None:
            del job.logs[: max(len(job.logs) - keep, 0)]

    async def remove_job(self, job_id: str, *, children: bool, state: FinishedState | None = None) -> None:
        job = self.jobs.there(job_id, "remove") if state is None else self.jobs.in_state(job_id, state, "remove")
        self.family.remove(self.jobs, job, children=children)

    async def cancel_jobs(
        self, job_ids: Sequence[str], reason: str, *, removes: bool, children: bool
    ) -> list[CancelOutcome]:
        return [cancel(self.jobs, job_id, reason, removes=removes, children=children) for job_id in job_ids]

    async def reprocess_job(
        self,
        job_id: str,
        state: FinishedState,
        *,
        lifo: bool,
        resets_made: bool,
        resets_started: bool,
        forgets: Sequence[bytes] = (),
    ) -> None:
        job = self.jobs.in_state(job_id, state, "retry")
        resets = {codec.ATTEMPTS_MADE: resets_made, codec.ATTEMPTS_STARTED: resets_started}
        for field in (
            *codec.OUTCOME_FIELDS[state],
            codec.DEFERRED_FAILURE,
            *forgets,
            *(name for name, is_reset in resets.items() if is_reset),
        ):
            job.fields.pop(field, None)
        self.family.reprocessed(self.keys.of(job_id), job, state)
        self.jobs.enqueue(job, at_head=lifo, prev=state)

    async def promote_job(self, job_id: str) -> None:
        self.jobs.promote(self.jobs.in_state(job_id, "delayed", "promote"))

    async def promote_jobs(self, chunk: int) -> None:  # noqa: ARG002 - all at once
        for job_id in list(self.jobs.lines["delayed"]):
            await self.promote_job(job_id)

    async def change_delay(self, job_id: str, delay_ms: int) -> None:
        job = self.jobs.in_state(job_id, "delayed", "change_delay")
        job.fields[codec.DELAY] = b"%d" % delay_ms
        self.jobs.delay(job, self.jobs.now_ms + delay_ms)

    async def change_priority(self, job_id: str, priority: int, *, lifo: bool) -> None:
        job = self.jobs.there(job_id, "change_priority")
        job.fields[codec.PRIORITY] = b"%d" % priority
        if job.state in {"wait", "prioritized"}:
            if lifo:
                self.jobs.to_head(job)
            else:
                self.jobs.enqueue(job, tells=False)

    async def fetch_one(self, token: str) -> NoReturn:  # noqa: ARG002 - as Scripts has it
        """Refuse to take a job by hand. Raises NotSimulatedError."""
        raise NotSimulatedError(self.keys.name, "get_next_job, which takes a job by hand")

    async def advance_one(self, outcome: Outcome, operation: str, *, fetch_next: bool = False) -> Advanced:
        if fetch_next:
            raise NotSimulatedError(self.keys.name, "fetch_next=True, which takes a job by hand")
        code = self.jobs.finish(outcome)
        if code < 0:
            raise outcome_error(code, outcome.job.id, operation)
        return Advanced(code == 0, self.jobs.now_ms)

    async def checkpoint(self, job_id: str, token: str, field: bytes, text: bytes) -> None:
        job = self.jobs.there(job_id, "keeping a step")
        if job.token != token:
            raise outcome_error(_FOREIGN_LOCK if job.token else _NO_LOCK, job_id, "keeping a step")
        job.fields[field] = text

    async def read_steps(self, job_id: str) -> list[StepMark]:
        return list(decode_marks(await self.read_fields(job_id)).values())

    async def signal_job(self, job_id: str, name: str, data: bytes) -> SignalOutcome:
        return signal(self.jobs, job_id, name, data)

    async def extend_lock(self, job_id: str, token: str, duration_ms: int) -> bool:  # noqa: ARG002 - no lock expires
        job = self.jobs.find(job_id)
        return job is not None and job.token == token

    async def deduplication_job_id(self, deduplication_id: str) -> str | None:
        return self.jobs.deduplication.owner_of(deduplication_id, self.jobs.now_ms)

    async def remove_deduplication_key(self, deduplication_id: str, job_id: str = "") -> bool:
        owner = await self.deduplication_job_id(deduplication_id)
        is_its = owner is not None and job_id in {"", owner}
        if is_its:
            self.jobs.deduplication.free(deduplication_id)
        return is_its

    async def pause(self) -> bool:
        was_paused, self.jobs.is_paused = self.jobs.is_paused, True
        self.jobs.tell("paused")
        return not was_paused

    async def resume(self) -> None:
        self.jobs.is_paused = False
        self.jobs.tell("resumed")

    async def is_paused(self) -> bool:
        return self.jobs.is_paused

    async def drain(self, suffix: str) -> int:
        doomed = list(self.jobs.lines.get(suffix, ()))
        for job_id in doomed:
            self.family.drain(self.jobs, self.jobs.all[job_id])
        return len(doomed)

    async def rate_limit(self, duration_ms: int) -> None:
        self.jobs.limited_until_ms = self.jobs.now_ms + duration_ms

    async def remove_limiter(self) -> bool:
        was_limited, self.jobs.limited_until_ms = self.jobs.limited_until_ms > self.jobs.now_ms, 0
        return was_limited

    async def count_active(self) -> int:
        return len(self.jobs.lines["active"])

    def job(self, job_id: str, fields: dict[bytes, bytes], token: str | None = None) -> Job:
        """Build a job in its present state."""
        return Job(self, job_id, dict(fields), token)
