"""What can be done with a job by the holder of its lock: a typed method for each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bullworks.bullmq.errors import LockLostError, outcome_error
from bullworks.bullmq.events.waiting import EventSource
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Advanced, Outcome, OutcomeRules
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.scripts.cancel import CancelScripts
from bullworks.bullmq.scripts.job import FamilyScripts, JobScripts
from bullworks.bullmq.scripts.next_iteration import store_next_iteration
from bullworks.bullmq.scripts.scheduler import SchedulerScripts
from bullworks.bullmq.scripts.steps import PATIENCE_S, StepScripts
from bullworks.bullmq.steps.errors import CheckpointLostError
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.redis import Argument, PipelinedConnection, ServerError, persist

DEFAULT_LOCK_MS = 30_000


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """The fetch arguments of lua/fetch.lua and lua/advance.lua; '' means none.

    Attributes:
        most_points: a minute's points kept of completed and of failed jobs.
    """

    lock_ms: int = DEFAULT_LOCK_MS
    worker_name: str = ""
    limiter_max: int | str = ""
    limiter_duration_ms: int | str = ""
    most_points: int | str = ""

    def args(self, want: int, token: str, holds: int | str) -> list[Argument]:
        """Build the seven arguments of fetch.lua; advance.lua takes `most_points` besides."""
        return [
            want,
            token,
            self.lock_ms,
            self.worker_name,
            self.limiter_max,
            self.limiter_duration_ms,
            holds,
        ]


ADVANCE = load("advance")
EXTEND_LOCKS = load("extend_locks")
FETCH = load("fetch")

_NOTHING_TO_WAIT_FOR = 1


@dataclass(eq=False)
class FetchError(ServerError):
    """An advance stored its outcomes, whose codes it holds, and then failed to fetch."""

    codes: list[int | bytes]


class JobListener(Protocol):
    """Observer of the jobs that are taken one at a time."""

    def active(self, job: Job[Any, Any]) -> None:
        """The job was taken, and is processed now."""

    def progress(self, job: Job[Any, Any], progress: Any) -> None:
        """The job's processor has stored this progress."""


class ProcessingScripts(JobScripts, FamilyScripts, SchedulerScripts, CancelScripts, StepScripts):
    """The scripts that process one job at a time; a Worker's own loop uses scripts/worker.py for many.

    Attributes:
        terms: of a fetch that comes with an outcome.
        rules: what becomes of a job that fails.
        listener: notified of the jobs that are taken; None means no notifications.
    """

    __slots__ = ("listener", "rules", "terms")

    def __init__(
        self,
        connection: PipelinedConnection,
        keys: QueueKeys,
        events: EventSource | None = None,
        tracing: Tracing | None = None,
        *,
        terms: FetchTerms | None = None,
        rules: OutcomeRules | None = None,
    ) -> None:
        super().__init__(connection, keys, events, tracing)
        self.terms = terms or FetchTerms()
        self.rules = rules or OutcomeRules()
        self.listener: JobListener | None = None

    async def advance_one(self, outcome: Outcome, operation: str, *, fetch_next: bool = False) -> Advanced:
        """Store one outcome, and if that succeeds, take the next job under the same token.

        Raises:
            JobNotFoundError, LockLostError, JobStateError, JobChildrenError, WrongKeyTypeError: nothing was stored.
            FetchError: it is stored, but fetching failed.
        """
        # Below 0: a refusal is raised, and a job that came with it would belong to no worker.
        args = self.terms.args(-1 if fetch_next else 0, outcome.token, "")
        reply = await self._run(ADVANCE, *args, self.terms.most_points, *outcome.to_script())
        codes, jobs, state, _, now_ms = reply
        if codes[0] not in {0, _NOTHING_TO_WAIT_FOR}:
            raise outcome_error(codes[0], outcome.job.id, operation)
        if isinstance(state, bytes):
            raise FetchError(state.decode("utf-8", "replace"), codes)
        next_job = await self.received(jobs[0].decode(), jobs[1], outcome.token) if jobs else None
        return Advanced(codes[0] == 0, now_ms, next_job)

    async def suspend_one(self, outcome: Outcome) -> Advanced:
        """Store that a job sleeps, or waits for a signal; repeated while Redis is away for a moment.

        Raises:
            CheckpointLostError: Redis was away for longer.
            JobNotFoundError, LockLostError, JobStateError, WrongKeyTypeError: nothing was stored.
        """
        tries = 0

        async def store() -> Advanced:
            nonlocal tries
            tries += 1
            try:
                return await self.advance_one(outcome, "suspend")
            except LockLostError:
                if tries == 1:
                    raise
                # The try without an answer was stored, or the job is another's by now: to be left alone in either case.
                return Advanced(is_stored=True, now_ms=0)

        try:
            return await persist(store, asyncio.get_running_loop().time() + PATIENCE_S)
        except TimeoutError as error:
            raise CheckpointLostError(outcome.job.id, "the suspension", PATIENCE_S) from error

    async def fetch_one(self, token: str) -> tuple[Job | None, int, int]:
        """Take a job, if there is one. Returns the job, the state and the wait in ms, as lua/fetch.lua does."""
        jobs, state, wait_ms, _ = await self._run(FETCH, *self.terms.args(1, token, ""))
        job = await self.received(jobs[0].decode(), jobs[1], token) if jobs else None
        return job, state, wait_ms

    async def received(self, job_id: str, flat: Sequence[bytes], token: str) -> Job:
        """Return the taken job; for a scheduler's job, after storing its successor."""
        job: Job = Job.from_reply(self, job_id, flat, token)
        if self.listener is not None:
            job.on_progress = self.listener.progress
        await store_next_iteration(self, job)
        if self.listener is not None:
            self.listener.active(job)
        return job

    async def extend_lock(self, job_id: str, token: str, duration_ms: int) -> bool:
        """Extend the job's lock. False if the lock is not this token's."""
        lost, _ = await self._run(EXTEND_LOCKS, duration_ms, "", job_id, token)
        return not lost
