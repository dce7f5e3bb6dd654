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
    """Reads children, as part of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    keys: QueueKeys
    scripts: Scripts
    _readers: EventReaders

    async def get_dependencies(self, parent_id: str, kind: ChildrenKind, start: int = 0, end: int = -1) -> ChildrenPage:
        """Read children `start` to `end` of a job, both included, -1 for the last; in no particular order.

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
    """The reading methods of Queue. Pages are as in Node: `start` and `end` count from 0, inclusive; -1 is the last.

    All raise ServerError, ConnectionLostError and ConnectError, as `add` does.
    """

    keys: QueueKeys
    scripts: Scripts
    tracing: Tracing | None

    async def get_job(self, job_id: str) -> Job[D] | None:
        """Read a job by id; None if it does not exist.

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
        """Read jobs `start` to `end` of each state.

        Of waiting and finished jobs the newest comes first, or with `asc` the oldest.

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
        """Read waiting jobs, the next one first; those with a priority are in get_prioritized."""
        return await self.get_jobs("waiting", start, end, asc=True)

    async def get_active(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read active jobs, the longest running first."""
        return await self.get_jobs("active", start, end, asc=True)

    async def get_delayed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read delayed jobs, the earliest due first."""
        return await self.get_jobs("delayed", start, end, asc=True)

    async def get_prioritized(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read waiting jobs that have a priority, the next one first."""
        return await self.get_jobs("prioritized", start, end, asc=True)

    async def get_waiting_children(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read jobs that wait for their children, the longest waiting first."""
        return await self.get_jobs("waiting-children", start, end, asc=True)

    async def get_completed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read completed jobs, the latest first."""
        return await self.get_jobs("completed", start, end)

    async def get_failed(self, start: int = 0, end: int = -1) -> list[Job[D]]:
        """Read jobs that failed for good, the latest first."""
        return await self.get_jobs("failed", start, end)

    async def get_deduplication_job_id(self, deduplication_id: str) -> str | None:
        """Read the id of the job that holds a deduplication id; None if it is free."""
        return await self.scripts.deduplication_job_id(deduplication_id)

    async def get_job_state(self, job_id: str) -> JobState:
        """Read a job's state; "unknown" if it does not exist."""
        return await self.scripts.get_state(job_id)

    async def get_job_counts(self, *states: ListedState) -> dict[str, int]:
        """Count the jobs in each state at one moment; without arguments, in each that Node's getJobCounts() has.

        Raises:
            InvalidOptionError: an unknown state.
        """
        asked = tuple(dict.fromkeys(states)) or ALL_STATES
        counts = await self.scripts.count_jobs([checked_suffix(state) for state in asked])
        return dict(zip(asked, counts, strict=True))

    async def record_job_counts_metric(self, *states: ListedState) -> dict[str, int]:
        """Count jobs as get_job_counts does, and record them on the telemetry's meter as `bullmq.queue.jobs`."""
        counts = await self.get_job_counts(*states)
        if self.tracing is not None:
            self.tracing.record_counts(counts)
        return counts

    async def count(self) -> int:
        """Count the unfinished jobs: waiting, delayed, prioritized and waiting for children."""
        return sum((await self.get_job_counts(*WAITING_STATES)).values())

    async def get_job_logs(
        self,
        job_id: str,
        start: int = 0,
        end: int = -1,
        asc: bool = True,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> JobLogs:
        """Read a page of a job's log, oldest line first unless `asc` is false, and the total number of lines."""
        return await self.scripts.read_logs(job_id, start, end, asc=asc)

    async def is_paused(self) -> bool:
        """Whether the queue is paused, so that workers take no jobs."""
        return await self.scripts.is_paused()

    async def get_ranges(
        self,
        states: ListedState | Iterable[ListedState],
        start: int = 0,
        end: int = -1,
        asc: bool = False,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> list[str]:
        """Read job ids, by the arguments of get_jobs."""
        return await self.scripts.ids(_suffixes(states), start, end, asc=asc)

    async def get_workers_count(self) -> int:
        """Count the workers that are connected to this queue."""
        return len(await self.get_workers())

    async def get_workers(self) -> list[WorkerClient]:
        """List the workers that are connected to this queue, Python's and Node's.

        Raises:
            ServerError: Redis does not let this user see its clients.
        """
        return parse_workers(await self.scripts.client_list(), self.keys)

    async def get_queue_events(self) -> list[WorkerClient]:
        """List the QueueEvents that are connected to this queue, Python's and Node's.

        Raises:
            ServerError: Redis does not let this user see its clients.
        """
        return parse_listeners(await self.scripts.client_list(), self.keys)


def _suffixes(states: ListedState | Iterable[ListedState]) -> list[str]:
    several = (states,) if isinstance(states, str) else states
    return list(dict.fromkeys(checked_suffix(state) for state in several))
