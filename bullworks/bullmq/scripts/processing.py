"""What can be done with a job by whoever holds its lock: a typed method for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.events.waiting import EventSource
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Advanced, Outcome, OutcomeRules
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.scripts.cancel import CancelScripts
from bullworks.bullmq.scripts.job import FamilyScripts, JobScripts
from bullworks.bullmq.scripts.next_iteration import store_next_iteration
from bullworks.bullmq.scripts.scheduler import SchedulerScripts
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.redis import Argument, PipelinedConnection, ServerError

DEFAULT_LOCK_MS = 30_000


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """As lua/fetch.lua and lua/advance.lua take them; '' for none.

    Attributes:
        most_points: a minute's points kept of completed and of failed jobs.
    """

    lock_ms: int = DEFAULT_LOCK_MS
    worker_name: str = ""
    limiter_max: int | str = ""
    limiter_duration_ms: int | str = ""
    most_points: int | str = ""

    def args(self, want: int, token: str, holds: int | str) -> list[Argument]:
        """Seven, for fetch.lua; advance.lua takes `most_points` besides."""
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


class FetchError(ServerError):
    """An advance stored its outcomes, whose codes are here, and then could not fetch."""

    def __init__(self, text: str, codes: list[int | bytes]) -> None:
        super().__init__(text)
        self.codes = codes


class ProcessingScripts(JobScripts, FamilyScripts, SchedulerScripts, CancelScripts):
    """One job at a time; a Worker's own loop stores and fetches many, see worker_scripts.py.

    Attributes:
        terms: of a fetch that comes with an outcome.
        rules: what becomes of a job that fails.
        on_progress: what the jobs that are taken tell of their progress.
        on_active: told of each job that is taken.
    """

    __slots__ = ("on_active", "on_progress", "rules", "terms")

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
        self.on_progress: Callable[[Job[Any, Any], Any], None] | None = None
        self.on_active: Callable[[Job[Any, Any]], None] | None = None

    async def advance_one(self, outcome: Outcome, operation: str, *, fetch_next: bool = False) -> Advanced:
        """Store one outcome, and where it is stored take the next job under the same token.

        Raises:
            JobNotFoundError, LockLostError, JobStateError, JobChildrenError, WrongKeyTypeError: nothing was stored.
            FetchError: it is stored, but fetching failed.
        """
        # Below 0: a refusal is raised, and a job that came with it would belong to nobody.
        args = self.terms.args(-1 if fetch_next else 0, outcome.token, "")
        reply = await self._run(ADVANCE, *args, self.terms.most_points, *outcome.to_script())
        codes, jobs, state, _, now_ms = reply
        if codes[0] not in {0, _NOTHING_TO_WAIT_FOR}:
            raise outcome_error(codes[0], outcome.job.id, operation)
        if isinstance(state, bytes):
            raise FetchError(state.decode("utf-8", "replace"), codes)
        next_job = await self.received(jobs[0].decode(), jobs[1], outcome.token) if jobs else None
        return Advanced(codes[0] == 0, now_ms, next_job)

    async def fetch_one(self, token: str) -> tuple[Job[Any, Any] | None, int, int]:
        """Take a job, if there is one. Returns it, the state and the ms as of lua/fetch.lua."""
        jobs, state, wait_ms, _ = await self._run(FETCH, *self.terms.args(1, token, ""))
        job = await self.received(jobs[0].decode(), jobs[1], token) if jobs else None
        return job, state, wait_ms

    async def received(self, job_id: str, flat: Sequence[bytes], token: str) -> Job[Any, Any]:
        """The job that was taken; where it is a scheduler's, once its next one is stored."""
        job: Job[Any, Any] = Job.from_reply(self, job_id, flat, token)
        job.on_progress = self.on_progress
        await store_next_iteration(self, job)
        if self.on_active is not None:
            self.on_active(job)
        return job

    async def extend_lock(self, job_id: str, token: str, duration_ms: int) -> bool:
        """Keep the job for so long from now. False: the lock is not this token's."""
        lost, _ = await self._run(EXTEND_LOCKS, duration_ms, "", job_id, token)
        return not lost
