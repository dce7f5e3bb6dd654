"""What can be done with one job by its id: a typed method for each script."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from bullworks.bullmq.errors import JobNotFoundError, ParentError, outcome_error
from bullworks.bullmq.events.event_id import EventId
from bullworks.bullmq.events.waiting import EndingSnapshot, JobEnding
from bullworks.bullmq.job.dependencies import ChildrenKind, Dependencies, DependenciesCount, Page, Pages
from bullworks.bullmq.job.state import FinishedState, JobState, state_of
from bullworks.bullmq.job.store import JobLogs
from bullworks.bullmq.scripts.caller import ScriptCaller, load
from bullworks.bullmq.wire import payload
from bullworks.redis import Argument

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
    """The scripts about one job. Refusals raise what `errors.outcome_error` returns: JobNotFoundError and others."""

    __slots__ = ()

    async def read_fields(self, job_id: str) -> dict[bytes, bytes]:
        """Read the job's hash; empty if the job does not exist."""
        [found] = await self.connection.read(("HGETALL", self.keys.of(job_id)))
        flat = iter(found)
        return dict(zip(flat, flat, strict=True))

    async def update_progress(self, job_id: str, progress: bytes) -> None:
        """Store JSON as the job's progress, and publish it."""
        _refuse(await self._run(UPDATE_PROGRESS, job_id, progress), job_id, "update_progress")

    async def update_data(self, job_id: str, data: bytes) -> None:
        """Store JSON as the job's payload."""
        _refuse(await self._run(UPDATE_DATA, job_id, data), job_id, "update_data")

    async def add_log(self, job_id: str, row: str, keep: int | None) -> int:
        """Append a line to the job's log, keeping the newest `keep`. Returns the number of lines."""
        count: int = await self._run(ADD_LOG, job_id, row.encode("utf-8", "replace"), "" if keep is None else keep)
        _refuse(count, job_id, "log")
        return count

    async def read_logs(self, job_id: str, start: int, end: int, *, asc: bool = True) -> JobLogs:
        """Read lines `start` to `end` of the log, both included, from the oldest (asc) or the newest."""
        key = self.keys.logs(job_id)
        first, last = (start, end) if asc else (-end - 1, -start - 1)
        page, count = await self.connection.read(("LRANGE", key, first, last), ("LLEN", key))
        rows = [row.decode("utf-8", "replace") for row in page]
        return JobLogs(rows if asc else rows[::-1], count)

    async def get_state(self, job_id: str) -> JobState:
        """Read the job's state."""
        return state_of(await self._run(GET_STATE, job_id))

    async def read_ending(self, job_id: str) -> EndingSnapshot:
        """Read how the job ended, if it has, and the newest event at that time."""
        state, value, newest = await self._run(READ_ENDING, job_id)
        endings = {b"completed": JobEnding("completed", value), b"failed": JobEnding("failed", value)}
        ending = JobEnding("removed", b"") if state == b"missing" else endings.get(state)
        return EndingSnapshot(ending, EventId.of(newest))

    async def remove_job(self, job_id: str, *, children: bool, state: FinishedState | None = None) -> None:
        """Remove the job with everything that belongs to it, and with `children` its descendants.

        Args:
            state: where it must be; a job retried in the meantime is not removed then.

        Raises:
            JobStateError: it is not in `state`.
            JobLockedError: a worker runs it, or one below it.
            SchedulerJobError: its scheduler needs it.
        """
        code = await self._run(REMOVE_JOB, job_id, "1" if children else "", state or "")
        _refuse(code, job_id, "remove", needed=state or "")

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
        """Move a job that ended in `state` back to wait, without the fields `forgets` of its hash."""
        flags = ["1" if flag else "" for flag in (lifo, resets_made, resets_started)]
        _refuse(await self._run(REPROCESS_JOB, job_id, state, *flags, *forgets), job_id, "retry", needed=state)

    async def promote_job(self, job_id: str) -> None:
        """Move a delayed job to wait."""
        _refuse(await self._run(PROMOTE_JOB, job_id), job_id, "promote", needed="delayed")

    async def change_delay(self, job_id: str, delay_ms: int) -> None:
        """Make a delayed job due a given time from now."""
        _refuse(await self._run(CHANGE_DELAY, job_id, delay_ms), job_id, "change_delay", needed="delayed")

    async def change_priority(self, job_id: str, priority: int, *, lifo: bool) -> None:
        """Change a job's priority, and its place in line if it waits."""
        _refuse(await self._run(CHANGE_PRIORITY, job_id, priority, "1" if lifo else ""), job_id, "change_priority")

    async def clear_logs(self, job_id: str, keep: int) -> None:
        """Drop all lines of the job's log except the newest `keep`."""
        key = self.keys.logs(job_id)
        await self.connection.execute(*(("LTRIM", key, -keep, -1) if keep else ("DEL", key)))


def _refuse(code: int, job_id: str, operation: str, *, needed: str = "active") -> None:
    if code < 0:
        raise outcome_error(code, job_id, operation, needed=needed)


REMOVE_CHILD_DEPENDENCY = load("remove_child_dependency")
REMOVE_DEDUPLICATION_KEY = load("remove_deduplication_key")
REMOVE_UNPROCESSED_CHILDREN = load("remove_unprocessed_children")

_SCANS: dict[ChildrenKind, tuple[str, str, str]] = {
    "processed": ("processed", "HSCAN", "HLEN"),
    "pending": ("unprocessed", "SSCAN", "SCARD"),
}
# What one command may hold up everybody else for.
_CHILDREN_A_SCAN = 1_000


class FamilyScripts(ScriptCaller):
    """The scripts about a job's parent and children, which may be in other queues."""

    __slots__ = ()

    async def dependencies(self, job_id: str) -> Dependencies:
        """Read all children of a job at one moment: the four reads leave in one write."""
        keys = self.keys.children(job_id)
        processed, unprocessed, ignored, failed = await self.connection.read(
            ("HGETALL", keys.processed),
            ("SMEMBERS", keys.unprocessed),
            ("HGETALL", keys.ignored),
            ("ZRANGE", keys.failed, 0, -1),
        )
        return Dependencies(
            {child: payload.decode(value) for child, value in _pairs(processed)},
            [child.decode() for child in unprocessed],
            {child: value.decode("utf-8", "replace") for child, value in _pairs(ignored)},
            [child.decode() for child in failed],
        )

    async def dependency_pages(self, job_id: str, pages: Pages) -> Dependencies:
        """Read pages of a job's children; the reads leave in one write."""
        keys = self.keys.children(job_id)
        scans = {
            "processed": ("HSCAN", keys.processed, pages.processed),
            "unprocessed": ("SSCAN", keys.unprocessed, pages.unprocessed),
            "ignored": ("HSCAN", keys.ignored, pages.ignored),
        }
        commands: dict[str, tuple[Argument, ...]] = {
            kind: (command, scanned, page.cursor, "COUNT", page.count)
            for kind, (command, scanned, page) in scans.items()
            if page is not None
        }
        replies, failed = await asyncio.gather(
            self.connection.read(*commands.values()), self._failed_page(keys.failed, pages.failed)
        )
        found: dict[str, Any] = dict.fromkeys(scans) | dict(zip(commands, replies, strict=True))
        cursors = {kind: None if reply is None else int(reply[0]) for kind, reply in found.items()}
        return Dependencies(
            {child: payload.decode(value) for child, value in _pairs(_page(found["processed"]))},
            [child.decode() for child in dict.fromkeys(_page(found["unprocessed"]))],
            {child: value.decode("utf-8", "replace") for child, value in _pairs(_page(found["ignored"]))},
            [child.decode() for child in failed[1]],
            next_processed_cursor=cursors["processed"],
            next_unprocessed_cursor=cursors["unprocessed"],
            next_ignored_cursor=cursors["ignored"],
            next_failed_cursor=failed[0],
        )

    async def children_between(
        self, job_id: str, kind: ChildrenKind, start: int, end: int
    ) -> tuple[dict[str, bytes | None], int]:
        """Read children `start` to `end`, both included, -1 for the last, with their results; and the total number.

        They are in no order, but in the same one while none comes or goes.
        """
        listed, scan, count = _SCANS[kind]
        key: str = getattr(self.keys.children(job_id), listed)
        total = int((await self.connection.read((count, key)))[0])
        found: dict[str, bytes | None] = {}
        cursor = 0
        while True:
            [(cursor, flat)] = await self.connection.read((scan, key, cursor, "COUNT", _CHILDREN_A_SCAN))
            cursor = int(cursor)
            found |= dict(_pairs(flat)) if kind == "processed" else {child.decode(): None for child in flat}
            if cursor == 0 or 0 <= end < len(found):
                break
        wanted = islice(found.items(), start, end + 1 if end >= 0 else None)
        return dict(wanted), total

    async def _failed_page(self, key: str, page: Page | None) -> tuple[int | None, list[bytes]]:
        """They are in order, so a cursor is a place."""
        if page is None:
            return None, []
        end = page.cursor + page.count
        # One more than is requested, to know whether there is.
        children: list[bytes] = (await self.connection.read(("ZRANGE", key, page.cursor, end)))[0]
        return (end if len(children) > page.count else 0), children[: page.count]

    async def dependencies_count(self, job_id: str) -> DependenciesCount:
        """Count a job's children; takes the same time however many there are."""
        keys = self.keys.children(job_id)
        return DependenciesCount(
            *await self.connection.read(
                ("HLEN", keys.processed),
                ("SCARD", keys.unprocessed),
                ("HLEN", keys.ignored),
                ("ZCARD", keys.failed),
            )
        )

    async def remove_child_dependency(self, job_id: str) -> bool:
        """Detach a child from its parent. False if the parent did not wait for it.

        Raises:
            JobNotFoundError: there is no such child.
            ParentError: it has no parent, or that is gone.
        """
        code = await self._run(REMOVE_CHILD_DEPENDENCY, job_id)
        if code == -1:
            raise JobNotFoundError(job_id, "remove_child_dependency")
        if code < 0:
            raise ParentError(job_id, "its parent", "it has none, or that was removed")
        return bool(code)

    async def remove_unprocessed_children(self, job_id: str) -> int:
        """Remove the descendants that are neither finished nor active. Returns how many."""
        return int(await self._run(REMOVE_UNPROCESSED_CHILDREN, job_id))

    async def deduplication_job_id(self, deduplication_id: str) -> str | None:
        """Read the id of the job that holds a deduplication id."""
        owner = await self.connection.execute("GET", self.keys.deduplication(deduplication_id))
        return None if owner is None else str(owner.decode())

    async def remove_deduplication_key(self, deduplication_id: str, job_id: str = "") -> bool:
        """Free a deduplication id if the given job, or with '' any job, holds it."""
        return bool(await self._run(REMOVE_DEDUPLICATION_KEY, deduplication_id, job_id))


def _pairs(flat: list[bytes]) -> list[tuple[str, bytes]]:
    parts = iter(flat)
    return [(child.decode(), value) for child, value in zip(parts, parts, strict=True)]


def _page(reply: Sequence[Any] | None) -> list[bytes]:
    return [] if reply is None else list(reply[1])
