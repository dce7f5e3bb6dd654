"""Searching jobs, the newest first, in steps of limited size."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from bullworks.board.pages.search_match import Matcher
from bullworks.board.queues import BoardQueue
from bullworks.board.rows import JobRow, Window, read_rows
from bullworks.board.snapshot import QueueSnapshot
from bullworks.bullmq import ListedState
from bullworks.redis import RedisError

MOST_JOBS = 5_000
"""Jobs that are looked at in one go; each queue and state has its share."""
MOST_HITS = 100
"""After as many the search stops, and can be continued."""
LARGEST_DATA_BYTES = 64 * 1024
"""Of one job; larger data is not searched, and the page says so."""

_MOST_BYTES = 8 * 1024 * 1024
_LONGEST_S = 1.5
_HITS_AT_A_PLACE = 400  # many queues may have a hit at the same place each
_ROWS_A_TURN = 64

Where = Literal["name", "data", "both"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A job that matches the search.

    Attributes:
        state: where it is.
        excerpt: of its data, where that fits.
    """

    entry: BoardQueue
    job_id: str
    name: str
    state: str
    added_ms: int
    excerpt: str = ""


@dataclass(slots=True)
class Scan:
    """The matches of one scan step, and where to continue.

    Attributes:
        looked: jobs that were looked at.
        skip: of each queue and state, the newest that this go left out; it went on from there.
        following: the same for the next go; None means there are no older ones.
        too_large: jobs of which the data was not searched.
        is_cut: there are more hits than are shown, among those that were looked at.
        problems: queues that cannot be read, by name, and why.
    """

    skip: int
    looked: int = 0
    following: int | None = None
    too_large: int = 0
    is_cut: bool = False
    hits: list[Hit] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    """The jobs of one state of one queue."""

    entry: BoardQueue
    state: ListedState
    count: int


async def scan(
    snapshots: Iterable[QueueSnapshot],
    states: Sequence[ListedState],
    matcher: Matcher | None,
    where: Where,
    skip: int,
    *,
    largest_bytes: int = LARGEST_DATA_BYTES,
) -> Scan:
    """Scan the next jobs for matches, in at most two round trips.

    Args:
        matcher: None means every job fits.
        skip: of each queue and state, so many of the newest are left out.
        largest_bytes: of data that is searched.
    """
    found = Scan(skip)
    lines = [
        _Line(snapshot.entry, state, snapshot.counts[state])
        for snapshot in snapshots
        for state in states
        if snapshot.counts[state] > skip
    ]
    share = MOST_JOBS // max(1, len(lines)) or 1
    rows = await _read(found, lines, share)
    until = skip + share
    if matcher is not None and where != "name":
        until = _affordable(rows, until, largest_bytes)
        rows = await _read(found, lines, until - skip, largest_bytes)
    until = await _match(found, rows, until, matcher, where)
    found.looked = sum(min(line.count, until) - skip for line in lines)
    found.following = until if any(line.count > until for line in lines) else None
    found.hits.sort(key=lambda hit: -hit.added_ms)
    return found


async def _read(found: Scan, lines: Sequence[_Line], limit: int, largest_bytes: int = 0) -> list[JobRow]:
    """Rows of all lines by their place, with their data where `largest_bytes` allows it."""
    by_queue = groupby(lines, key=lambda line: line.entry)
    calls = [(entry, [Window(line.state, found.skip, limit) for line in of_queue]) for entry, of_queue in by_queue]
    replies = await asyncio.gather(
        *(
            read_rows(entry, windows, "data", head_bytes=largest_bytes, largest_bytes=largest_bytes)
            for entry, windows in calls
        ),
        return_exceptions=True,
    )
    rows: list[JobRow] = []
    for (entry, _), reply in zip(calls, replies, strict=True):
        if isinstance(reply, BaseException):
            if not isinstance(reply, RedisError):
                raise reply
            problem = (entry.shown_name, str(reply))
            if problem not in found.problems:
                found.problems.append(problem)
        else:
            rows += reply[1]
    return sorted(rows, key=_place)


def _affordable(rows: Sequence[JobRow], until: int, largest_bytes: int) -> int:
    """Up to which place data can be read, one place at least."""
    read_bytes = 0
    for number, (place, at_place) in enumerate(groupby(rows, key=_place)):
        read_bytes += sum(row.size_bytes or 0 for row in at_place if (row.size_bytes or 0) <= largest_bytes)
        if read_bytes > _MOST_BYTES:
            return place if number else place + 1
    return until


async def _match(found: Scan, rows: Sequence[JobRow], until: int, matcher: Matcher | None, where: Where) -> int:
    """Collect what fits. Returns up to which place was looked: there may be enough before the end, or no time left."""
    latest_s = time.monotonic() + _LONGEST_S
    looked = 0
    for place, at_place in groupby(rows, key=_place):
        for row in at_place:
            looked += 1
            if looked % _ROWS_A_TURN == 0:
                await asyncio.sleep(0)  # let this process serve other requests
            for hit in _hits(found, row, matcher, where):
                if len(found.hits) < _HITS_AT_A_PLACE:
                    found.hits.append(hit)
                else:
                    found.is_cut = True
        if len(found.hits) >= MOST_HITS or time.monotonic() > latest_s:
            return place + 1
    return until


def _place(row: JobRow) -> int:
    return row.place


def _hits(found: Scan, row: JobRow, matcher: Matcher | None, where: Where) -> Iterator[Hit]:
    """The row, if it fits."""
    excerpt = None
    is_named = matcher is None or (where != "data" and matcher.is_in_name(row.name))
    if not is_named and where != "name" and matcher is not None:
        if row.size_bytes and not row.head:
            found.too_large += 1
        excerpt = matcher.excerpt(row.head) if row.head else None
    if is_named or excerpt is not None:
        name = "(cannot be read)" if row.size_bytes is None else row.name
        yield Hit(row.entry, row.job_id, name, row.state, row.added_ms, excerpt or "")
