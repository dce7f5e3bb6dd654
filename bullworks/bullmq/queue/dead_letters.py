"""DeadLetters: the jobs of a queue that failed for good, moved to a queue of their own, and back.

A letter is an ordinary job of an ordinary queue, so Bull Board and npm bullmq show it. It is added first and the failed
job removed after, and its id says which failure it is: a crash between the two leaves both, and the next move finds the
letter there. So nothing is lost, and nothing stays twice.
"""

import logging
from dataclasses import replace
from typing import Any

from bullworks.bullmq.errors import (
    InvalidOptionError,
    InvalidPayloadError,
    JobLockedError,
    JobNotFoundError,
    JobStateError,
)
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.group import Group
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.wire import codec, payload
from bullworks.redis import ServerError

log = logging.getLogger(__name__)

DEAD = "-dead"
"""What the name of a dead-letter queue has behind the name of the queue whose jobs it holds."""

# Jobs that stay where they are must not keep a sweep going for ever.
_MOST_LOOKED_AT = 10_000
_JOBS_A_PAGE = 100


class DeadLetters:
    """The dead letters of one queue, to move there and to replay.

    A letter's data is `{"queue", "id", "reason", "attempts", "failedOn", "opts", "data"}`: where the job was, why and
    when (ms since the epoch) it failed, and what it was; besides, `group` of a job that has one.

    What stays in `failed`: cancelled jobs, jobs of a flow or of a job scheduler, and jobs whose data is not JSON.

    All raise ServerError, ConnectionLostError and ConnectError, as `Queue.add` does.

    Args:
        origin: of the queue whose jobs fail.
        dead: of the queue that holds the letters.
    """

    def __init__(self, origin: Scripts, dead: Scripts) -> None:
        self._origin = origin
        self._dead = dead

    @property
    def queue_name(self) -> str:
        """The name of the queue that holds the letters."""
        return self._dead.keys.name

    async def collect(self, *, limit: int = 1_000) -> int:
        """Move failed jobs to the dead-letter queue, the oldest first. A worker with `dead_letter` does so by itself.

        Args:
            limit: the most to move, >= 1.

        Returns:
            How many were moved.
        """
        checks.whole("limit", limit, 1)
        moved = kept = 0
        while moved < limit and kept < _MOST_LOOKED_AT:
            ids = await self._origin.ids(["failed"], kept, kept + _JOBS_A_PAGE - 1, asc=True)
            if not ids:
                break
            for job_id in ids[: limit - moved]:
                if await self.take(job_id):
                    moved += 1
                else:
                    kept += 1
        return moved

    async def take(self, job_id: str) -> bool:
        """Move one failed job to the dead-letter queue. False if it is not one, or has to stay."""
        try:
            return await self._take(job_id)
        except ServerError as error:
            if error.code != "WRONGTYPE":
                raise
            # A key of this job that others spoiled must not keep all others here.
            log.warning("job %s stays in failed: %s", job_id, error, extra={"queue": self._origin.keys.name})
            return False

    async def _take(self, job_id: str) -> bool:
        job: Job[Any] = Job(self._origin, job_id, await self._origin.read_fields(job_id))
        if not _is_movable(job) or await self._has_children(job_id):
            return False
        try:
            letter = self._letter(job)
        except ValueError as error:  # not JSON, or too large with what a letter adds
            log.warning("job %s stays in failed: %s", job_id, error, extra={"queue": self._origin.keys.name})
            return False
        await self._dead.add_jobs((letter,))
        try:
            await self._origin.remove_job(job_id, children=False, state="failed")
        except JobNotFoundError:  # another worker moved it at the same time
            return True
        except (JobStateError, JobLockedError):  # it was retried meanwhile: it is not dead
            await self._dead.remove_job(letter.id, children=False)
            return False
        return True

    async def _has_children(self, job_id: str) -> bool:
        count = await self._origin.dependencies_count(job_id)
        return any((count.processed, count.unprocessed, count.ignored, count.failed))

    async def replay(self, letter_id: str | None = None, *, limit: int = 1_000) -> int:
        """Add jobs to their queue again, with their data and options and all their attempts; returns how many.

        A replayed job has its letter's id. At least once: a crash between adding and removing can run a job twice.

        Args:
            letter_id: only that one, by its id in the dead-letter queue; default: all that wait there, oldest first.
            limit: the most to replay, >= 1.

        Raises:
            JobNotFoundError: there is no such letter.
            InvalidPayloadError: that job is not a letter; without `letter_id` such jobs are left alone.
            GroupFullError: the job's group has no place for it; the letter stays.
        """
        checks.whole("limit", limit, 1)
        if letter_id is not None:
            await self._return(letter_id)
            return 1
        replayed = kept = 0
        while replayed < limit and kept < _MOST_LOOKED_AT:
            ids = await self._dead.ids(["wait"], kept, kept + _JOBS_A_PAGE - 1, asc=True)
            if not ids:
                break
            for waiting in ids[: limit - replayed]:
                try:
                    await self._return(waiting)
                    replayed += 1
                except (InvalidPayloadError, JobNotFoundError, JobLockedError):
                    kept += 1
        return replayed

    def _letter(self, job: Job[Any]) -> NewJob:
        name = self._origin.keys.name
        data: dict[str, Any] = {
            "queue": name,
            "id": job.id,
            "reason": job.failed_reason,
            "attempts": job.attempts_made,
            "failedOn": job.finished_on,
            "opts": payload.decode(job.stored(codec.OPTS) or b"{}"),
            "data": payload.decode(job.stored(codec.DATA) or b"null"),
        }
        if job.group is not None:
            weight = job.stored(codec.GROUP_WEIGHT)
            data["group"] = {"id": job.group} if weight is None else {"id": job.group, "weight": float(weight)}
        letter_id = f"{name}-{job.id}-{job.finished_on}".replace(":", "-")
        return NewJob.of(job.name, data, JobOpts(), given_id=letter_id)

    async def _return(self, letter_id: str) -> None:
        fields = await self._dead.read_fields(letter_id)
        if not fields:
            raise JobNotFoundError(letter_id, "replay")
        letter = payload.decode(fields.get(codec.DATA, b"null"))
        if not isinstance(letter, dict) or letter.get("queue") != self._origin.keys.name or "data" not in letter:
            raise InvalidPayloadError("$", f"is not a dead letter of queue {self._origin.keys.name}")
        opts = codec.decode_opts(payload.encode(letter.get("opts")))
        # What tied the job to a moment, or to others, has passed.
        again = replace(opts, delay_ms=0, job_id=None, timestamp=None, deduplication=None, telemetry=None)
        name = fields[codec.NAME].decode()
        group = Group.of(letter["group"]) if "group" in letter else None
        await self._origin.add_jobs((NewJob.of(name, letter["data"], again, given_id=letter_id, group=group),))
        await self._dead.remove_job(letter_id, children=False)


def letters_of(origin: Scripts, name: str | None = None) -> DeadLetters:
    """Build the dead letters of a queue, over the same connection.

    Args:
        name: of the queue that holds them; default: the queue's own with `-dead` behind it.

    Raises:
        InvalidOptionError: no queue may have that name, or it is the queue's own.
    """
    given = origin.keys.name + DEAD if name is None else checks.text("dead_letter", name)
    if ":" in given or given == origin.keys.name:
        raise InvalidOptionError("dead_letter", f"must be the name of another queue, with no ':', not {given!r}")
    return DeadLetters(origin, Scripts(origin.connection, QueueKeys(origin.keys.prefix, given), None, origin.tracing))


def _is_movable(job: Job[Any]) -> bool:
    """Whether a job has failed for good, and neither a parent nor a scheduler counts on it."""
    has_failed = job.finished_on is not None and job.failed_reason is not None
    return has_failed and not job.is_cancelled and job.parent_key is None and job.repeat_job_key is None
