"""What can be done with one job by its id: a typed method for each script."""

import asyncio

from app.bullmq.errors import outcome_error
from app.bullmq.event_id import EventId
from app.bullmq.job_logs import JobLogs
from app.bullmq.job_state import FinishedState, JobState, state_of
from app.bullmq.job_waits import Ending, Sighting
from app.bullmq.script_caller import ScriptCaller, load

ADD_LOG = load("add_log")
CHANGE_DELAY = load("change_delay")
CHANGE_PRIORITY = load("change_priority")
GET_STATE = load("get_state")
PROMOTE_JOB = load("promote_job")
READ_ENDING = load("read_ending")
REMOVE_JOB = load("remove_job")
REPROCESS_JOB = load("reprocess_job")
UPDATE_DATA = load("update_data")
UPDATE_PROGRESS = load("update_progress")


class JobScripts(ScriptCaller):
    """Each method raises what `errors.outcome_error` makes of its script's refusal: JobNotFoundError and others."""

    __slots__ = ()

    async def read_fields(self, job_id: str) -> dict[bytes, bytes]:
        """The job's hash; empty where there is no such job."""
        flat = iter(await self.connection.execute("HGETALL", self.keys.of(job_id)))
        return dict(zip(flat, flat, strict=True))

    async def update_progress(self, job_id: str, progress: bytes) -> None:
        """Store JSON as the job's progress, and tell."""
        _refuse(await self._run(UPDATE_PROGRESS, job_id, progress), job_id, "update_progress")

    async def update_data(self, job_id: str, data: bytes) -> None:
        """Store JSON as the job's payload."""
        _refuse(await self._run(UPDATE_DATA, job_id, data), job_id, "update_data")

    async def add_log(self, job_id: str, row: str, keep: int | None) -> int:
        """Append a line, keeping the newest `keep`. Returns how many lines there are then."""
        count: int = await self._run(ADD_LOG, job_id, row.encode("utf-8", "replace"), "" if keep is None else keep)
        _refuse(count, job_id, "log")
        return count

    async def read_logs(self, job_id: str, start: int, end: int, *, asc: bool = True) -> JobLogs:
        """Lines `start` to `end`, both included, from the oldest (asc) or the newest."""
        key = self.keys.logs(job_id)
        first, last = (start, end) if asc else (-end - 1, -start - 1)
        page, count = await asyncio.gather(
            self.connection.execute("LRANGE", key, first, last), self.connection.execute("LLEN", key)
        )
        rows = [row.decode("utf-8", "replace") for row in page]
        return JobLogs(rows if asc else rows[::-1], count)

    async def get_state(self, job_id: str) -> JobState:
        """Where the job is."""
        return state_of(await self._run(GET_STATE, job_id))

    async def read_ending(self, job_id: str) -> Sighting:
        """How the job ended, if it has, and how far the queue's events were then."""
        state, value, newest = await self._run(READ_ENDING, job_id)
        endings = {b"completed": Ending("completed", value), b"failed": Ending("failed", value)}
        ending = Ending("removed", b"") if state == b"missing" else endings.get(state)
        return Sighting(ending, EventId.of(newest))

    async def remove_job(self, job_id: str, *, children: bool, state: FinishedState | None = None) -> None:
        """Remove the job with all that belongs to it, and with `children` the jobs below it.

        Args:
            state: where it must be; a job that somebody retried meanwhile is not removed then.

        Raises:
            JobStateError: it is not in `state`.
            JobLockedError: a worker runs it, or one below it.
            SchedulerJobError: its scheduler needs it.
        """
        code = await self._run(REMOVE_JOB, job_id, "1" if children else "", state or "")
        _refuse(code, job_id, "remove", needed=state or "")

    async def reprocess_job(
        self, job_id: str, state: FinishedState, *, lifo: bool, resets_made: bool, resets_started: bool
    ) -> None:
        """Move a job that ended in `state` back to wait."""
        flags = ["1" if flag else "" for flag in (lifo, resets_made, resets_started)]
        _refuse(await self._run(REPROCESS_JOB, job_id, state, *flags), job_id, "retry", needed=state)

    async def promote_job(self, job_id: str) -> None:
        """Move a delayed job to wait."""
        _refuse(await self._run(PROMOTE_JOB, job_id), job_id, "promote", needed="delayed")

    async def change_delay(self, job_id: str, delay_ms: int) -> None:
        """Let a delayed job be due so long from now."""
        _refuse(await self._run(CHANGE_DELAY, job_id, delay_ms), job_id, "change_delay", needed="delayed")

    async def change_priority(self, job_id: str, priority: int, *, lifo: bool) -> None:
        """Give a job another priority, and where it waits another place."""
        _refuse(await self._run(CHANGE_PRIORITY, job_id, priority, "1" if lifo else ""), job_id, "change_priority")

    async def clear_logs(self, job_id: str, keep: int) -> None:
        """Drop all lines of the job's log but the newest `keep`."""
        key = self.keys.logs(job_id)
        await self.connection.execute(*(("LTRIM", key, -keep, -1) if keep else ("DEL", key)))


def _refuse(code: int, job_id: str, operation: str, *, needed: str = "active") -> None:
    if code < 0:
        raise outcome_error(code, job_id, operation, needed=needed)
