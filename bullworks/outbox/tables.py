"""The outbox's tables: jobs that wait for the relay, and effects that have happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, Text, func

metadata = MetaData()
"""The outbox's tables, for `metadata.create_all(connection)`, or Alembic's `target_metadata`."""

# SQLite numbers rows of INTEGER keys only, and without AUTOINCREMENT it takes the numbers of deleted rows again.
_POSITION = BigInteger().with_variant(Integer, "sqlite")


def _now() -> Column[datetime]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


OUTBOX = Table(
    "bullworks_outbox",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=True),
    # Not an id of Redis: the relay makes the job's id and its deduplication id of it.
    Column("id", String(64), nullable=False, unique=True),
    Column("queue", Text, nullable=False),
    Column("name", Text, nullable=False),
    # JSON as it will lie in Redis; a column of type JSON would change its numbers and the order of its keys.
    Column("data", Text, nullable=False),
    Column("opts", Text, nullable=False, server_default="{}"),
    # Why the relay passes over the row; NULL where it does not.
    Column("refused", Text),
    _now(),
    sqlite_autoincrement=True,
)
EFFECTS = Table(
    "bullworks_effects",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("job_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    _now(),
)


def create_tables(op: Any) -> None:
    """Create both tables in an Alembic migration: `def upgrade(): create_tables(op)`."""
    for table in metadata.sorted_tables:
        table.create(op.get_bind())


def drop_tables(op: Any) -> None:
    """Drop both tables in an Alembic migration, with the rows that have not been moved."""
    for table in reversed(metadata.sorted_tables):
        table.drop(op.get_bind())
