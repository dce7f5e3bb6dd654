"""once: whether a job's effect has still to happen, recorded in the transaction that makes it happen."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from bullworks.bullmq import Job, SyncJob
from bullworks.outbox.database import POSTGRES, SQLITE
from bullworks.outbox.errors import UnsupportedDatabaseError
from bullworks.outbox.tables import EFFECTS

_INSERTS: dict[str, Any] = {POSTGRES: postgresql.insert, SQLITE: sqlite.insert}


async def once(session: AsyncSession, job: Job[Any, Any], step: str = "") -> bool:
    """Record that a job's effect happens in this transaction; False if it has happened before.

    The record and the effect are committed together or not at all. While another transaction has recorded the same
    one and is still open, this waits for its end.

    Args:
        session: the handler's, in which the effect is written too.
        job: whose effect it is: known by its queue and id.
        step: which effect, where one handler has several transactions.

    Raises:
        UnsupportedDatabaseError: neither Postgres nor SQLite.
    """
    recorded = await session.execute(_record(session.get_bind().dialect.name, job, step))
    return recorded.first() is not None


def once_sync(session: Session, job: Job[Any, Any] | SyncJob[Any], step: str = "") -> bool:
    """Record the effect of a handler that is a plain function; see `once`."""
    return session.execute(_record(session.get_bind().dialect.name, job, step)).first() is not None


def _record(dialect: str, job: Job[Any, Any] | SyncJob[Any], step: str) -> ReturningInsert[Any]:
    if dialect not in _INSERTS:
        raise UnsupportedDatabaseError(dialect)
    values = {"queue": job.queue_name, "job_id": job.id, "step": step}
    statement: ReturningInsert[Any] = (
        _INSERTS[dialect](EFFECTS).values(values).on_conflict_do_nothing().returning(EFFECTS.c.job_id)
    )
    return statement
