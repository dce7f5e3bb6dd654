"""One request to the API, and what a route is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bullworks.board.board import Board, Mutation
from bullworks.board.jobs import AppJob, JobReader
from bullworks.board.queues import BoardQueue
from bullworks.board.security import Action
from bullworks.bullmq import Queue


@dataclass(frozen=True, slots=True)
class Answer:
    """A handler's response other than 200 with JSON. 204 has no body."""

    status: int
    body: Any = None


@dataclass(slots=True, kw_only=True)
class Call:
    """One API request, with the board and the caller that it concerns.

    Attributes:
        who: asks.
        pages_at: where our own pages are; None means nothing leads there.
        params: what the path names, by the route's `:name`.
        query: what stands after the `?`; an empty value counts as none.
        body: of JSON; {} where the request has none.
        queue_entry: the queue that the path names.
        change: of a route that changes something, as the audit trail will have it.
    """

    board: Board
    who: str
    pages_at: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    queue_entry: BoardQueue | None = None
    change: Mutation | None = None

    def remember(self, note: str, *, job: str | None = None) -> None:
        """Add the request's arguments, and the job it produced, to the audit event."""
        if self.change is not None:
            self.change.note = note
            self.change.job = job or self.change.job

    @property
    def entry(self) -> BoardQueue:
        if self.queue_entry is None:
            raise LookupError("the route names no queue")
        return self.queue_entry

    @property
    def queue(self) -> Queue[Any]:
        return self.entry.queue

    @property
    def job_id(self) -> str:
        return self.params["job"]

    @property
    def jobs(self) -> JobReader:
        return JobReader(self.board.redaction, self.board.options.shown_bytes, self.pages_at)

    async def describe_job(self, job_id: str) -> AppJob:
        """Render a job that was just added; only its {id} if it is gone already."""
        return await self.jobs.read_one(self.entry, job_id) or {"id": job_id}


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method and path of the API contract, with its handler.

    Attributes:
        path: below `api/`, as in "queues/:queue/:job/logs".
        action: what it does, for the policy and the audit trail.
    """

    method: str
    path: str
    handler: Handler
    action: Action = "read"


def reading(path: str, handler: Handler) -> Route:
    """Make a GET route, which may change nothing."""
    return Route(method="GET", path=path, handler=handler)


def changing(method: str, path: str, action: Action, handler: Handler) -> Route:
    """Make a POST, PUT or PATCH route, which changes a queue."""
    return Route(method=method, path=path, handler=handler, action=action)
