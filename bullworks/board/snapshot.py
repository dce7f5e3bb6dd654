"""All queues at one look: what an overview shows, in a few trips however many queues and jobs there are."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bullworks.board.queues import BoardQueue
from bullworks.bullmq import ListedState, Queue
from bullworks.bullmq.job.state import SUFFIXES
from bullworks.bullmq.queue.clients import client_fields
from bullworks.redis import Endpoint, RedisError

COUNTED: tuple[ListedState, ...] = (
    "active", "waiting", "waiting-children", "prioritized", "completed", "failed", "delayed",
)  # fmt: skip
"""In Bull Board's order."""

_NAMED = ":w:"


@dataclass(frozen=True, slots=True)
class ConnectedWorker:
    """A worker's connection to Redis, from any BullMQ library.

    Attributes:
        name: the worker's own, where it has one.
        age_s: since it connected.
    """

    id: str
    name: str | None
    address: str
    age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The state of one queue at one moment.

    Attributes:
        counts: jobs by state.
        concurrency: of the fleet; None means any.
        rate_limit_ttl_ms: for how long no job is taken; 0 means jobs are taken.
        schedulers: how many job schedulers there are.
        workers: None means Redis does not list them.
        problem: why it cannot be read; the rest is empty then.
    """

    entry: BoardQueue
    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    is_paused: bool = False
    concurrency: int | None = None
    rate_limit_ttl_ms: int = 0
    schedulers: int = 0
    workers: Sequence[ConnectedWorker] | None = None
    problem: str | None = None


async def read_queues(entries: Iterable[BoardQueue], *, with_workers: bool = True) -> list[QueueSnapshot]:
    """Read a snapshot of every queue; a failing queue does not affect the others."""
    listed = list(entries)
    fleets, snapshots = await asyncio.gather(
        read_workers(listed) if with_workers else _nobody(),
        asyncio.gather(*(_read(entry) for entry in listed)),
    )
    if not with_workers:
        return snapshots
    return [replace(snapshot, workers=workers_of(snapshot.entry, fleets)) for snapshot in snapshots]


_Server = tuple[Endpoint, int]
"""An endpoint, and the node of a cluster that is meant."""

Fleets = Mapping[_Server, Mapping[str, Sequence[ConnectedWorker]] | None]
"""Workers of each server, by the client name of their connections; None means the server does not list them."""


async def read_workers(entries: Iterable[BoardQueue]) -> Fleets:
    """Read the workers of several queues with one CLIENT LIST per server."""
    servers = {_server_of(entry): entry.queue for entry in entries}
    listings = await asyncio.gather(*(_listing(queue) for queue in servers.values()))
    return {
        server: None if listing is None else _by_queue(listing)
        for server, listing in zip(servers, listings, strict=True)
    }


def workers_of(entry: BoardQueue, fleets: Fleets) -> Sequence[ConnectedWorker] | None:
    """Read the workers of one queue."""
    fleet = fleets.get(_server_of(entry))
    return None if fleet is None else fleet.get(entry.queue.keys.client_name(None), ())


async def _nobody() -> Fleets:
    return {}


def _server_of(entry: BoardQueue) -> _Server:
    connection = entry.queue.connection
    endpoint = connection.endpoint
    return endpoint, id(connection.at(entry.queue.keys.base)) if endpoint.has_slots else 0


async def _listing(queue: Queue[Any]) -> str | None:
    try:
        return await queue.scripts.client_list()
    except RedisError:  # an ACL or a provider may forbid it
        return None


def _by_queue(listing: str) -> dict[str, list[ConnectedWorker]]:
    fleet: dict[str, list[ConnectedWorker]] = {}
    for fields in client_fields(listing):
        queue, named, worker = fields.get("name", "").partition(_NAMED)
        if queue and fields.get("addr"):
            age = fields.get("age", "0")
            fleet.setdefault(queue, []).append(
                ConnectedWorker(
                    fields.get("id", ""), worker if named else None, fields["addr"], int(age) if age.isdecimal() else 0
                )
            )
    return fleet


async def _read(entry: BoardQueue) -> QueueSnapshot:
    queue = entry.queue
    try:
        # sent in one write with those of all other queues
        figures, counts = await asyncio.gather(
            entry.glance.figures(), queue.scripts.count_jobs([SUFFIXES[state] for state in COUNTED])
        )
    except RedisError as error:
        return QueueSnapshot(entry=entry, problem=str(error))
    return QueueSnapshot(
        entry=entry,
        counts=dict(zip(COUNTED, counts, strict=True)),
        **figures._asdict(),
    )
