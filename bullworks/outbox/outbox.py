"""Outbox: jobs that are added if, and only if, the caller's database transaction is committed."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from typing_extensions import Unpack

from bullworks.bullmq import Duration, JobOptions, JobToAdd, Queue, checked_ms
from bullworks.bullmq.job.new_job import NewJob
from bullworks.closing import Closing
from bullworks.outbox.database import Database
from bullworks.outbox.errors import UnknownQueueError
from bullworks.outbox.relay import Relay
from bullworks.outbox.rows import insertion, refuse_options

DAY_MS = 86_400_000
# Of a session: which outboxes are woken by its next commit.
_TO_WAKE = "bullworks.outbox"


class Outbox(Closing):
    """Writes jobs as rows in the caller's transaction; its relay moves them into the queues.

    Args:
        engine: of Postgres or SQLite, async or sync, for the relay; it stays the caller's to dispose of.
        queues: those that jobs may be added to, and that the relay moves rows for.
        remember: for how long a queue knows the rows it was given, >= 1 ms; a day unless given.
        poll: how often to look for rows of which nobody told this process, >= 1 ms; a second unless given.

    Raises:
        UnsupportedDatabaseError: the engine is for another database.
        InvalidOptionError: a duration that cannot be used.
    """

    def __init__(
        self,
        engine: Engine | AsyncEngine,
        queues: Iterable[Queue[Any]] = (),
        *,
        remember: Duration = DAY_MS,
        poll: Duration = 1_000,
    ) -> None:
        self._database = Database(engine)
        self._queues = {queue.name: queue for queue in queues}
        self.relay = Relay(
            self._database,
            self._queues,
            checked_ms("remember", remember, least=1),
            checked_ms("poll", poll, least=1),
        )

    def know(self, queue: Queue[Any]) -> None:
        """Let jobs be added to one more queue."""
        self._queues[queue.name] = queue

    def start(self) -> None:
        """Start the relay in the running event loop; a second call does nothing."""
        self.relay.start()

    async def close(self) -> None:
        """Stop the relay; rows that it has not moved stay. Closing twice is fine."""
        await self.relay.close()

    async def add(self, session: AsyncSession, queue: str, name: str, data: Any, **options: Unpack[JobOptions]) -> str:
        """Write a job in the session's transaction; it is added to the queue at least once if that is committed.

        It is the caller's to commit. A delay begins when the relay adds the job.

        Args:
            session: the transaction that the job belongs to, on the database of the outbox.
            queue: name of a queue that the outbox knows.
            name, data, options: as for `Queue.add`, without deduplication, group, parent and repeat.

        Returns:
            The id that the job will have.

        Raises:
            UnknownQueueError: the outbox does not know the queue.
            InvalidOptionError: an unknown or bad option, or one that cannot be kept in the outbox.
            InvalidPayloadError: data that is not JSON, or not of the queue's `data_type`, or too large.
        """
        target = self._queue(queue)

        async def write(name: str, data: Any, given: Mapping[str, Any]) -> str:
            job = _checked(target, name, data, given)
            statement, job_id = insertion(queue, job, notifies=self._database.is_postgres)
            await session.execute(statement)
            self._wake_after_commit(session.sync_session)
            return job_id

        if target.adding is None:
            return await write(name, data, options)
        job = JobToAdd(queue, name, data, {**options})
        return await target.adding.around([job], lambda: write(job.name, job.data, job.opts))

    def add_sync(self, session: Session, queue: str, name: str, data: Any, **options: Unpack[JobOptions]) -> str:
        """Write a job in the transaction of a blocking session; see `add`. What surrounds `Queue.add` is not called."""
        job = _checked(self._queue(queue), name, data, options)
        statement, job_id = insertion(queue, job, notifies=self._database.is_postgres)
        session.execute(statement)
        self._wake_after_commit(session)
        return job_id

    def _queue(self, name: str) -> Queue[Any]:
        queue = self._queues.get(name)
        if queue is None:
            raise UnknownQueueError(name, sorted(self._queues))
        return queue

    def _wake_after_commit(self, session: Session) -> None:
        if not event.contains(session, "after_commit", _wake):
            event.listen(session, "after_commit", _wake)
        session.info.setdefault(_TO_WAKE, set()).add(self)


def _checked(queue: Queue[Any], name: str, data: Any, options: Mapping[str, Any]) -> NewJob:
    refuse_options(options)
    return queue.check_job(name, data, options)


def _wake(session: Session) -> None:
    """Wake the relays of the outboxes that the transaction wrote to; the end of a savepoint commits nothing."""
    if session.in_nested_transaction():
        return
    for outbox in session.info.pop(_TO_WAKE, ()):
        outbox.relay.wake()
