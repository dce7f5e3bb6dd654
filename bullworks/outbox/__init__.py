"""A transactional outbox: jobs that are added if a database transaction is committed, and effects that happen once."""

from bullworks.extras import require

require("outbox", "the outbox")

from bullworks.outbox.errors import OutboxError, UnknownQueueError, UnsupportedDatabaseError
from bullworks.outbox.module import OutboxModule
from bullworks.outbox.once import once, once_sync
from bullworks.outbox.outbox import Outbox
from bullworks.outbox.tables import create_tables, drop_tables, metadata

__all__ = [
    "Outbox",
    "OutboxError",
    "OutboxModule",
    "UnknownQueueError",
    "UnsupportedDatabaseError",
    "create_tables",
    "drop_tables",
    "metadata",
    "once",
    "once_sync",
]
