"""QueueChildren: the children of a queue's jobs, by their parent's id."""

import asyncio
from typing import Any

from app.bullmq import payload
from app.bullmq.dependencies import ChildItem, ChildrenKind, ChildrenPage
from app.bullmq.errors import InvalidOptionError
from app.bullmq.event_readers import EventReaders
from app.bullmq.job import Job
from app.bullmq.keys import QueueKeys
from app.bullmq.scripts import Scripts


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
