"""SyncQueue: adds jobs from code without an event loop, such as Django or Flask views."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, cast

import redis.asyncio
from typing_extensions import Unpack

from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.job import D, Job
from bullworks.bullmq.job.state import ListedState
from bullworks.bullmq.options.job import JobOptions
from bullworks.bullmq.queue.bulk import NO_DATA, JobSpec
from bullworks.bullmq.queue.queue import Queue
from bullworks.bullmq.scripts.steps import SignalOutcome
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.sync.loop import BackgroundLoop
from bullworks.bullmq.telemetry.interface import Telemetry
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.elsewhere import without_foreign_calls
from bullworks.redis import ConnectionOptions, Endpoint


@without_foreign_calls
class SyncQueue(Generic[D]):
    """A Queue whose calls block. Safe to share between threads, and to create before a fork.

    All of a process share one event loop in a background thread; a process that forks connects again in each child.

    Args:
        name, prefix, default_job_options, telemetry, data_type, result_type, encryption: as for Queue.
        connection: a URL, a dict of one, a redis.asyncio client, whose settings are read, or an Endpoint.

    Raises:
        InvalidOptionError: a bad name, prefix, default option or type.
        BadUrlError: a bad URL.
    """

    def __init__(
        self,
        name: str,
        *,
        connection: str | ConnectionOptions | redis.asyncio.Redis | redis.asyncio.RedisCluster | Endpoint,
        prefix: str = "bull",
        default_job_options: JobOptions | None = None,
        telemetry: Telemetry[Any] | None = None,
        data_type: type[D] | None = None,
        result_type: Any = None,
        encryption: Keyring | None = None,
    ) -> None:
        if not isinstance(connection, str | Mapping | redis.asyncio.Redis | redis.asyncio.RedisCluster | Endpoint):
            raise InvalidOptionError("connection", f"must be a URL, a client or an Endpoint, not {connection!r}")
        self._endpoint = Endpoint.of(connection)
        self._prefix = prefix
        self._default_job_options = default_job_options
        self._telemetry = telemetry
        self._data_type: Any = data_type
        self._result_type = result_type
        self._encryption = encryption
        self.name = name
        # A forked child has a loop of its own: the parent's socket stays the parent's, replies that both read would
        # reach neither.
        self._queues: dict[BackgroundLoop, Queue[D]] = {}
        self._new_queue()  # invalid arguments are reported here

    def __repr__(self) -> str:
        return f"<SyncQueue {self.name!r} at {self._endpoint.describe()}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(
        self,
        name: str,
        data: D = cast(Any, NO_DATA),
        opts: JobOptions | None = None,
        **options: Unpack[JobOptions],
    ) -> SyncJob[D]:
        """Add one job, blocking; see Queue.add."""
        queue, loop = self._here()
        return SyncJob(loop.call(queue.add(name, data, opts, **options)), loop.loop)

    def add_bulk(self, jobs: Iterable[JobSpec]) -> list[SyncJob[D]]:
        """Add many jobs, blocking; see Queue.add_bulk."""
        queue, loop = self._here()
        return [SyncJob(job, loop.loop) for job in loop.call(queue.add_bulk(list(jobs)))]

    def get_job(self, job_id: str) -> SyncJob[D] | None:
        """Read a job by id, blocking; see Queue.get_job."""
        queue, loop = self._here()
        job: Job[D] | None = loop.call(queue.get_job(job_id))
        return None if job is None else SyncJob(job, loop.loop)

    def get_job_counts(self, *states: ListedState) -> dict[str, int]:
        """Count the jobs in each state, blocking; see Queue.get_job_counts."""
        queue, loop = self._here()
        return loop.call(queue.get_job_counts(*states))

    def cancel(
        self, job_id: str, reason: str | None = None, *, cancel_children: bool = True, remove: bool = False
    ) -> CancelOutcome:
        """Cancel a job, blocking; see Queue.cancel."""
        queue, loop = self._here()
        return loop.call(queue.cancel(job_id, reason, cancel_children=cancel_children, remove=remove))

    def cancel_many(
        self, job_ids: Iterable[str], reason: str | None = None, *, cancel_children: bool = True, remove: bool = False
    ) -> dict[str, CancelOutcome]:
        """Cancel many jobs, blocking; see Queue.cancel_many."""
        queue, loop = self._here()
        return loop.call(queue.cancel_many(job_ids, reason, cancel_children=cancel_children, remove=remove))

    def signal(self, job_id: str, name: str, data: Any = None) -> SignalOutcome:
        """Signal a job, blocking; see Queue.signal."""
        queue, loop = self._here()
        return loop.call(queue.signal(job_id, name, data))

    def retry_from(self, job_id: str, step: str) -> None:
        """Run a finished job again from a step on, blocking; see Queue.retry_from."""
        queue, loop = self._here()
        loop.call(queue.retry_from(job_id, step))

    def close(self) -> None:
        """Close this process's connection. Closing twice, or before the first call, is fine."""
        queue, loop = self._here()
        loop.call(queue.close())
        loop.at_exit.discard(queue.close)

    def _here(self) -> tuple[Queue[D], BackgroundLoop]:
        loop = BackgroundLoop.current()
        queue = self._queues.get(loop)
        if queue is None:
            # Two threads may come here at once; both get the queue of the first, neither has connected.
            queue = self._queues.setdefault(loop, self._new_queue())
            loop.at_exit.add(queue.close)
        return queue, loop

    def _new_queue(self) -> Queue[D]:
        return Queue(
            self.name,
            connection=self._endpoint,
            prefix=self._prefix,
            default_job_options=self._default_job_options,
            telemetry=self._telemetry,
            data_type=self._data_type,
            result_type=self._result_type,
            encryption=self._encryption,
        )
