"""OutboxRow and the statements on it: how a job is written to the outbox, read from it, and deleted."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Executable, delete, func, insert, select, text, update

from bullworks.bullmq import InvalidOptionError
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.deduplication import Deduplication
from bullworks.bullmq.wire import codec
from bullworks.outbox.tables import OUTBOX

CHANNEL = "bullworks_outbox"
"""Where Postgres notifies relays of rows."""

# What would make a row that Redis may refuse, or that is a further job, once the caller's transaction has gone.
_REFUSED_OPTIONS = {
    "deduplication": "is what the outbox uses itself, so that no row becomes two jobs; use job_id",
    "group": "cannot be kept in the outbox; call Queue.add after the commit",
    "parent": "cannot be kept in the outbox, where its parent may be gone before the job is added",
    "repeat": "cannot be kept in the outbox; use Queue.upsert_job_scheduler",
}

# Held until the transaction ends, whatever ends it, and by the server: no time to live, and nothing to release.
_TRY_GATE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('bullworks_outbox', 0))")
# A relay that is frozen within its transaction would hold up the fleet: Postgres ends that session.
_BOUND_IDLE = text("SET LOCAL idle_in_transaction_session_timeout = '30s'")


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A job that waits in the outbox."""

    position: int
    id: str
    queue: str
    name: str
    data: str
    opts: str

    @property
    def job_id(self) -> str:
        """Id of the job that the row becomes, unless its options give one; also its deduplication id."""
        return job_id_of(self.id)

    def job(self, remember_ms: int) -> NewJob:
        """Make the job that the row becomes.

        Raises:
            ValueError: the row was written by hand, and its name or options cannot be read.
        """
        opts = replace(
            codec.decode_opts(self.opts.encode()),
            deduplication=Deduplication(id=self.job_id, ttl_ms=remember_ms),
            parent=None,
        )
        return NewJob(checks.text("name", self.name), self.data.encode(), opts, given_id=self.job_id)


def job_id_of(row_id: str) -> str:
    """Build the id of the job that a row becomes."""
    return f"outbox-{row_id}"


def refuse_options(options: Collection[str]) -> None:
    """Check that all options can be kept in the outbox. Raises InvalidOptionError: one cannot."""
    for option, problem in _REFUSED_OPTIONS.items():
        if option in options:
            raise InvalidOptionError(option, problem)


def insertion(queue: str, job: NewJob, *, notifies: bool) -> tuple[Executable, str]:
    """Build the statement that writes a checked job, and the id that the job will have.

    Args:
        notifies: whether relays are told of it when the transaction is committed, which Postgres does.
    """
    row_id = uuid4().hex
    opts = json.dumps(codec.wire_opts(job.opts), ensure_ascii=False)
    values = {"id": row_id, "queue": queue, "name": job.name, "data": job.data.decode(), "opts": opts}
    statement = insert(OUTBOX).values(values)
    job_id = job.id or job_id_of(row_id)
    return statement.returning(func.pg_notify(CHANNEL, "")) if notifies else statement, job_id


def take_gate(connection: Connection) -> bool:
    """Become the one relay until the transaction ends, on Postgres. False means another one is."""
    connection.execute(_BOUND_IDLE)
    return bool(connection.execute(_TRY_GATE).scalar())


def read_first(connection: Connection, queues: Collection[str], limit: int) -> list[OutboxRow]:
    """Read the first rows of these queues, in order."""
    columns = [OUTBOX.c[name] for name in OutboxRow.__dataclass_fields__]
    waiting = OUTBOX.c.queue.in_(queues) & OUTBOX.c.refused.is_(None)
    found: Sequence[Any] = connection.execute(
        select(*columns).where(waiting).order_by(OUTBOX.c.position).limit(limit)
    ).all()
    return [OutboxRow(*row) for row in found]


def settle(connection: Connection, rows: Collection[OutboxRow], refused: Mapping[OutboxRow, str]) -> None:
    """Delete rows whose jobs are in Redis, and keep those that cannot be jobs out of the way of the others.

    Args:
        refused: why a row cannot be a job.
    """
    moved = [row.position for row in rows if row not in refused]
    connection.execute(delete(OUTBOX).where(OUTBOX.c.position.in_(moved)))
    for row, reason in refused.items():
        connection.execute(update(OUTBOX).where(OUTBOX.c.position == row.position).values(refused=reason))
