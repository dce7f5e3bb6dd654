"""Who works on what: the active jobs of a queue with their locks, and its workers, in a few trips."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bullworks.board.jobs import text
from bullworks.board.queues import BoardQueue
from bullworks.board.snapshot import ConnectedWorker
from bullworks.bullmq.scripts.glance import Hold
from bullworks.bullmq.wire import codec
from bullworks.redis import RedisError, ServerError
from bullworks.workers.presence import PresentWorkers, WorkerRecord, read_present
from bullworks.workers.presence.keys import PresenceKeys

_FIELDS = (codec.NAME, codec.PROCESSED_BY, codec.PROCESSED_ON, codec.ATTEMPTS_STARTED, codec.ATTEMPTS_MADE)

Grip = Literal["held", "runs out", "stalled"]
"""How a job is held: its lock is renewed; it was not for long; it has none, and another worker will get the job."""

_DEFAULT_LOCK_MS = 30_000
# Workers renew after half of a lock's life: one that has less than a quarter left was not renewed when it was due.
_LEFT_OF = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveJob:
    """A job in `active`.

    Attributes:
        holder: the worker by its heartbeat; None means Node's, one without heartbeats, or no worker's.
        holder_text: what is known of who holds it; "" for nothing.
        since_ms: when the attempt began.
        left_ms: of its lock; None means it has none.
        is_suspected: its lock was not renewed since stalled jobs were looked for last.
        problem: why it cannot be read.
    """

    id: str
    name: str = ""
    holder: WorkerRecord | None = None
    holder_text: str = ""
    since_ms: int = 0
    attempt: int = 0
    left_ms: int | None = None
    is_suspected: bool = False
    grip: Grip = "held"
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWork:
    """The active jobs, connections and heartbeats of one queue.

    Attributes:
        jobs: some of its active jobs, those that are held worst first.
        active: how many there are.
        present: its workers by their heartbeats.
        connected: its workers' connections; None means Redis does not list them.
        problem: why it cannot be read; the rest is empty then.
    """

    entry: BoardQueue
    jobs: Sequence[ActiveJob] = ()
    active: int = 0
    present: PresentWorkers = field(default_factory=PresentWorkers)
    connected: Sequence[ConnectedWorker] | None = None
    problem: str | None = None

    @property
    def lonely(self) -> Sequence[WorkerRecord]:
        """Heartbeats without a connection of the same name."""
        if self.connected is None:
            return ()
        left = Counter(worker.name or "" for worker in self.connected)
        found = []
        for record in self.present.workers:
            left[record.name] -= 1
            if left[record.name] < 0:
                found.append(record)
        return found

    @property
    def silent(self) -> Sequence[ConnectedWorker]:
        """Connections of workers without a heartbeat of the same name: Node's, or an older version's."""
        left = Counter(record.name for record in self.present.workers)
        found = []
        # those that came last are taken for the ones without: they may not have said anything yet
        for worker in sorted(self.connected or (), key=lambda worker: -worker.age_s):
            left[worker.name or ""] -= 1
            if left[worker.name or ""] < 0:
                found.append(worker)
        return found


async def read_work(
    entry: BoardQueue, connected: Sequence[ConnectedWorker] | None, *, most_jobs: int, most_workers: int
) -> QueueWork:
    """Read the active jobs and workers of one queue, in two round trips however many jobs are active.

    Args:
        connected: its workers' connections, of a CLIENT LIST.
    """
    queue, keys, glance = entry.queue, entry.queue.keys, entry.glance
    try:
        (job_ids, active), present = await asyncio.gather(
            glance.active(most_jobs),
            read_present(queue.connection.at(keys.base), PresenceKeys(keys.prefix, queue.name), most_workers),
        )
        holds = await asyncio.gather(*(glance.hold(job_id, _FIELDS) for job_id in job_ids), return_exceptions=True)
        jobs = [_job(job_id, hold, present) for job_id, hold in zip(job_ids, holds, strict=True)]
    except RedisError as error:
        return QueueWork(entry=entry, connected=connected, problem=str(error))
    order: dict[Grip, int] = {"stalled": 0, "runs out": 1, "held": 2}
    jobs.sort(key=lambda job: (order[job.grip], job.since_ms))
    return QueueWork(entry=entry, jobs=jobs, active=active, present=present, connected=connected)


def _job(job_id: str, hold: Hold | BaseException, present: PresentWorkers) -> ActiveJob:
    if isinstance(hold, ServerError):
        return ActiveJob(id=job_id, problem=str(hold))
    if isinstance(hold, BaseException):
        raise hold
    name, by, since, started, made = map(hold.fields.get, _FIELDS)
    worker_id = (hold.token or "").partition(":")[0]
    holder = next((record for record in present.workers if worker_id and record.id == worker_id), None)
    left_ms = hold.left_ms if hold.token is not None else None
    life_ms = holder.lock_ms if holder is not None and holder.lock_ms else _DEFAULT_LOCK_MS
    grip: Grip = "stalled" if left_ms is None else "runs out" if left_ms < life_ms / _LEFT_OF else "held"
    known_by = "" if by is None else text(by)
    return ActiveJob(
        id=job_id,
        name="" if name is None else text(name),
        holder=holder,
        # of the id no more than tells workers apart: with all of it a lock's token could be guessed
        holder_text=known_by or (f"worker {worker_id[:8]}" if worker_id else ""),
        since_ms=_whole(since),
        attempt=_whole(started) or _whole(made) + 1,
        left_ms=left_ms,
        is_suspected=hold.is_suspected,
        grip=grip,
    )


def _whole(value: bytes | None) -> int:
    try:
        return int(float(value or 0))
    except (ValueError, OverflowError):
        return 0
