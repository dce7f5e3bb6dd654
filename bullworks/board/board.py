"""Board: what all requests to one board share."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bullworks.board.audit import Audit, AuditEvent, Outcome
from bullworks.board.errors import RefusedError, refusal_of
from bullworks.board.history import HistorySource
from bullworks.board.options import BoardOptions
from bullworks.board.outage import Outage
from bullworks.board.queues import BoardQueue, BoardQueues
from bullworks.board.recorded import RecordedHistory
from bullworks.board.redaction import Redaction
from bullworks.board.security import Access, Action
from bullworks.board.security.access import is_allowed
from bullworks.board.ui import BoardUi
from bullworks.bullmq import Queue
from bullworks.schedule import SchedulerRegistry

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Mutation:
    """A change in progress, with the audit event it will leave.

    Attributes:
        job: which, where that is known only afterwards.
        note: what the audit trail is to remember of it.
    """

    who: str
    action: Action
    queue: str | None = None
    job: str | None = None
    note: str = ""


@dataclass(slots=True)
class Board:
    """The board's queues, and who may do what with them.

    Attributes:
        ui: Bull Board's page; None means it was not fetched, and our own pages stand in its place.
        crons: those of this process, which can be run by hand; None means it has no schedule.
        outage: whether Redis answers.
    """

    queues: BoardQueues
    options: BoardOptions
    ui: BoardUi | None = None
    crons: SchedulerRegistry | None = None
    audit: Audit = field(init=False)
    outage: Outage = field(init=False)
    history: HistorySource = field(init=False)
    redaction: Redaction = field(init=False)

    def __post_init__(self) -> None:
        self.audit = Audit(self.home)
        self.outage = Outage(self.queues)
        self.history = self.options.history or RecordedHistory(self.queues)
        self.redaction = Redaction(self.options.redact)

    def home(self) -> Queue[Any] | None:
        """The queue beside which the board keeps its own keys: the first one, or None if there is none."""
        return next((entry.queue for entry in self.queues), None)

    async def visible_queues(self, who: str) -> list[BoardQueue]:
        """The queues that the caller may read."""
        return [entry for entry in self.queues if await self.sees(who, entry)]

    async def sees_all(self, who: str) -> bool:
        """Whether the caller may read every queue; only then may totals over all queues be shown."""
        return not self.queues.hides_some and len(await self.visible_queues(who)) == len(self.queues)

    async def sees(self, who: str, entry: BoardQueue) -> bool:
        """Whether the caller may read a queue."""
        policy = self.options.policy
        return policy is None or await is_allowed(policy, Access(who, "read", queue=entry.shown_name))

    async def queue(self, who: str, name: str) -> BoardQueue:
        """Find a queue by name.

        Raises:
            RefusedError: there is none of that name, or `who` may not know of it.
        """
        entry = self.queues.get(name)
        if entry is None or not await self.sees(who, entry):
            raise RefusedError(404, "QUEUE_NOT_FOUND")
        return entry

    def is_read_only(self, entry: BoardQueue) -> bool:
        """Whether a queue is read-only on this board."""
        return self.options.read_only or entry.read_only

    async def may(self, who: str, action: Action, entry: BoardQueue | None = None, job: str | None = None) -> bool:
        """Whether the caller is allowed an action: decides what a page offers."""
        if self.options.read_only or (entry is not None and entry.read_only):
            return False
        queue = None if entry is None else entry.shown_name
        return await is_allowed(self.options.policy, Access(who, action, queue, job))

    @asynccontextmanager
    async def mutation(
        self, who: str, action: Action, entry: BoardQueue | None = None, job: str | None = None, *, note: str = ""
    ) -> AsyncIterator[Mutation]:
        """Guard a change: check that it is allowed, and write an audit event for it.

        Args:
            entry: the queue; None means it is about all, or none.
            job: of a job or a job scheduler.
            note: what is asked for in detail.

        Raises:
            RefusedError: 405, read-only, or 403, the policy does not allow it.
        """
        queue = None if entry is None else entry.shown_name
        change = Mutation(who, action, queue, job, note)
        if self.options.read_only or (entry is not None and entry.read_only):
            raise RefusedError(405, "QUEUE_READ_ONLY")
        if not await is_allowed(self.options.policy, Access(who, action, queue, job)):
            await self._record(change, "refused", "the policy does not allow it")
            raise RefusedError(403, "FORBIDDEN", f"{who} may not {action} here")
        try:
            yield change
        except Exception as error:
            refusal = refusal_of(error)
            outcome: Outcome = "failed" if refusal is None or refusal.status >= 500 else "refused"
            await self._record(change, outcome, str(refusal or type(error).__name__))
            raise
        await self._record(change, "done")

    async def _record(self, change: Mutation, outcome: Outcome, reason: str = "") -> None:
        await self.audit.record(
            AuditEvent(
                who=change.who,
                action=change.action,
                queue=change.queue,
                job=change.job,
                outcome=outcome,
                note=": ".join(part for part in (change.note, reason) if part),
            )
        )
