"""QueueGetters: what one can see of a queue, without changing it."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Generic

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.events.readers import EventReaders
from bullworks.bullmq.job.dependencies import ChildItem, ChildrenKind, ChildrenPage
from bullworks.bullmq.job.job import D, Job
from bullworks.bullmq.job.state import ALL_STATES, WAITING_STATES, JobState, ListedState, checked_suffix
from bullworks.bullmq.job.store import JobLogs
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options import checks
from bullworks.bullmq.queue.clients import WorkerClient, parse_listeners, parse_workers
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.telemetry.tracing import Tracing
from bullworks.bullmq.wire import payload


class QueueChildren:
    """A part of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    keys: QueueKeys
    scripts: Scripts
    _readers: EventReaders

    async def get_dependencies(self, parent_id: str, kind: ChildrenKind, start: int = 0, end: int = -1) -> ChildrenPage:
        """Children `start` to `end` of a job, both included, -1 for the last; they are in no order.

        Args:
            kind: "processed": those that completed, with what they returned; "pending": those that it waits for.

        Raises:
            InvalidOptionError: another kind.
        """
        if kind not in {"processed", "pending"}:
            raise InvalidOptionError("kind", f"must be 'processed' or 'pending', not {kind!r}")
        found, total = await self.scripts.children_between(parent_id, kind, start, end)
        read = [self._read(key) for key in found]
        jobs = [job for job in await asyncio.gather(*read) if job is not None]
        return ChildrenPage([ChildItem(key, _value(value)) for key, value in found.items()], jobs, total)

    async def _read(self, key: str) -> Job[Any] | None:
        keys, job_id = QueueKeys.of_job(key, self.keys.prefix)
        scripts = Scripts(self.scripts.connection, keys, self._readers.of(keys), self.scripts.tracing)
        fields = await scripts.read_fields(job_id)
        return Job(scripts, job_id, fields) if fields else None


def _value(encoded: bytes | None) -> Any:
    try:
        return None if encoded is None else payload.decode(encoded)
    except ValueError:
        return None


log = logging.getLogger(__name__)

_MOST_FILLS = 5
"""Windows that are read for one page, so that a state of nothing but lost ids costs no more."""


class QueueGetters(Generic[D]):
    """The reading half of Queue. Pages are as in Node: `start` and `end` count from 0, both included, -1 is the last.

    All raise ServerError, ConnectionLostError and ConnectError, as `add` does.
    """

    keys: QueueKeys
    scripts: Scripts
    tracing: Tracing | None

    async def get_job(self, job_id: str) -> Job[D] | None:
        """The job, or None where there is none of that id.

        Raises:
            ServerError: another kind of key lies there.
        """
        checks.text("job_id", job_id)
        fields = await self.scripts.read_fields(job_id)
        return Job(self.scripts, job_id, fields) if fields else None

    async def get_jobs(
        self,
        states: ListedState | Iterable[ListedState] = ALL_STATES,
        start: int = 0,
        end: int = -1,
        asc: bool = False,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> list[Job[D]]:
        """Jobs `start` to `end` of each state; of those that wait and of finished ones the newest first, or, with
        `asc`, the oldest.

        A page at a time costs the same however many jobs there are; all at once may be millions. A job that vanished
        meanwhile, or cannot be read (that is logged), is left out, and those that follow fill its page up, as in Node.

        Raises:
            InvalidOptionError: an unknown state.
        """
        pages = await asyncio.gather(*(self._page(suffix, start, end, asc=asc) for suffix in _suffixes(states)))
        return list({job.id: job for page in pages for job in page}.values())

    async def _page(self, suffix: str, start: int, end: int, *, asc: bool) -> list[Job[D]]:
        """One state's, filled up where both ends are counted from its beginning."""
        size = end - start + 1 if min(start, end) >= 0 else 0
        found: dict[str, Job[D]] = {}
        for _ in range(_MOST_FILLS):
            ids = await self.scripts.ids([suffix], start, end, asc=asc)
            found.update((job.id, job) for job in await self._existing(ids))
            if len(ids) < size or len(found) >= size:
                break
            start, end = end + 1, end + size
        return list(found.values())[: size or None]

    async def _existing(self, ids: list[str]) -> list[Job[D]]:
        jobs: list[Job[D]] = []
        for job_id, flat in await self.scripts.hashes(ids):
            if isinstance(flat, Exception):
                log.warning(
                    "job %s of queue %s cannot be read: %s",
                    job_id,
                    self.keys.name,
                    flat,
                    extra={"job_id": job_id, "queue": self.keys.name},
                )
            elif flat:
                jobs.append(Job.from_reply(self.scripts, job_id, flat))
        return jobs

    async def get_waiting(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs that wait, the next first; those with a priority are in get_prioritized."""
        return await self.get_jobs("waiting", start, end, asc=True)

    async def get_active(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs that workers are running, the longest first."""
        return await self.get_jobs("active", start, end, asc=True)

    async def get_delayed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs whose time has not come, the next first."""
        return await self.get_jobs("delayed", start, end, asc=True)

    async def get_prioritized(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs with a priority that wait, the next first."""
        return await self.get_jobs("prioritized", start, end, asc=True)

    async def get_waiting_children(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs that wait for their children, the longest first."""
        return await self.get_jobs("waiting-children", start, end, asc=True)

    async def get_completed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs that succeeded, the latest first."""
        return await self.get_jobs("completed", start, end)

    async def get_failed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Jobs that failed for good, the latest first."""
        return await self.get_jobs("failed", start, end)

    async def get_deduplication_job_id(self, deduplication_id: str) -> str | None:
        """The id of the job that holds a deduplication id, if any."""
        return await self.scripts.deduplication_job_id(deduplication_id)

    async def get_job_state(self, job_id: str) -> JobState:
        """Where a job is; "unknown": nowhere."""
        return await self.scripts.get_state(job_id)

    async def get_job_counts(self, *states: ListedState) -> dict[str, int]:
        """How many jobs each state holds, all at one moment; without arguments, each that Node's getJobCounts() has.

        Raises:
            InvalidOptionError: an unknown state.
        """
        asked = tuple(dict.fromkeys(states)) or ALL_STATES
        counts = await self.scripts.count_jobs([checked_suffix(state) for state in asked])
        return dict(zip(asked, counts, strict=True))

    async def record_job_counts_metric(self, *states: ListedState) -> dict[str, int]:
        """The same, told to the telemetry's meter too, where there is one: `bullmq.queue.jobs`, by queue and state."""
        counts = await self.get_job_counts(*states)
        if self.tracing is not None:
            self.tracing.record_counts(counts)
        return counts

    async def count(self) -> int:
        """Jobs that are still to run: waiting, delayed, prioritized, and parents that wait for their children."""
        return sum((await self.get_job_counts(*WAITING_STATES)).values())

    async def get_job_logs(
        self,
        job_id: str,
        start: int = 0,
        end: int = -1,
        asc: bool = True,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> JobLogs:
        """A page of a job's log, oldest line first unless not `asc`, and how many lines there are in all."""
        return await self.scripts.read_logs(job_id, start, end, asc=asc)

    async def is_paused(self) -> bool:
        """Whether workers are kept from taking jobs."""
        return await self.scripts.is_paused()

    async def get_ranges(
        self,
        states: ListedState | Iterable[ListedState],
        start: int = 0,
        end: int = -1,
        asc: bool = False,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> list[str]:
        """As get_jobs, but the ids only."""
        return await self.scripts.ids(_suffixes(states), start, end, asc=asc)

    async def get_workers_count(self) -> int:
        """How many workers listen to this queue now."""
        return len(await self.get_workers())

    async def get_workers(self) -> list[WorkerClient]:
        """The workers that listen to this queue now, Python's and Node's.

        Raises:
            ServerError: Redis does not let this user see its clients.
        """
        return parse_workers(await self.scripts.client_list(), self.keys)

    async def get_queue_events(self) -> list[WorkerClient]:
        """The QueueEvents that listen to this queue now, Python's and Node's.

        Raises:
            ServerError: Redis does not let this user see its clients.
        """
        return parse_listeners(await self.scripts.client_list(), self.keys)


def _suffixes(states: ListedState | Iterable[ListedState]) -> list[str]:
    several = (states,) if isinstance(states, str) else states
    return list(dict.fromkeys(checked_suffix(state) for state in several))
