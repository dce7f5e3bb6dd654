"""Rows of many jobs: little of each, as one needs it to group or to search them, in one trip."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bullworks.board.jobs import text
from bullworks.board.queues import BoardQueue
from bullworks.bullmq import ListedState
from bullworks.bullmq.job.state import SUFFIXES
from bullworks.redis import Argument, Script

_READ_ROWS = Script.load("bullworks.board", "read_rows")
# Redis serves no other client during a script: a chunk is some 5 ms.
_JOBS_A_CALL = 1_000


@dataclass(frozen=True, slots=True)
class Window:
    """A page of jobs in one state, newest first: up to `limit` after the first `skip`."""

    state: ListedState
    skip: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """The fields of a job that a list displays.

    Attributes:
        place: in its state, from 0, the newest first.
        name: its beginning, where it is very long.
        added_ms, finished_ms: ms since the epoch; 0 means unknown.
        size_bytes: of the field that was asked for; None means it cannot be read.
        head: the field's beginning; empty where it is too large, or was not asked for.
    """

    entry: BoardQueue
    state: ListedState
    place: int
    job_id: str
    name: str
    added_ms: int
    finished_ms: int
    size_bytes: int | None
    head: bytes


async def read_rows(
    entry: BoardQueue,
    windows: Iterable[Window],
    field: Literal["data", "failedReason"],
    *,
    head_bytes: int = 0,
    largest_bytes: int = 0,
) -> tuple[int, list[JobRow]]:
    """Read a page of job rows, and how many ids it covered.

    Args:
        field: whose size is told.
        head_bytes: so much of its beginning is read.
        largest_bytes: but nothing of a longer one.

    Raises:
        RedisError: the queue cannot be read.
    """
    base = entry.queue.keys.base
    connection = entry.queue.connection.at(base)
    calls = list(_calls(windows))
    replies = await asyncio.gather(
        *(connection.run(_READ_ROWS, (base,), [field, head_bytes, largest_bytes, *_arguments(call)]) for call in calls)
    )
    looked, rows = 0, []
    for call, reply in zip(calls, replies, strict=True):
        for window, (ids, *flat) in zip(call, reply, strict=True):
            looked += ids
            rows += [_row(entry, window.state, flat[at : at + 7]) for at in range(0, len(flat), 7)]
    return looked, rows


def time_of(value: bytes) -> int:
    """Parse a time stored in Redis; 0 if it is not a number."""
    return int(value) if value.isdigit() and len(value) <= 16 else 0


def _calls(windows: Iterable[Window]) -> Iterator[Sequence[Window]]:
    """The windows, cut and put together so that no call looks at too many jobs."""
    call: list[Window] = []
    room = _JOBS_A_CALL
    for window in windows:
        skip, left = window.skip, window.limit
        while left > 0:
            part = min(left, room)
            call.append(Window(window.state, skip, part))
            skip, left, room = skip + part, left - part, room - part
            if room == 0:
                yield call
                call, room = [], _JOBS_A_CALL
    if call:
        yield call


def _arguments(windows: Iterable[Window]) -> Iterator[Argument]:
    for window in windows:
        yield from (SUFFIXES[window.state], window.skip, window.limit)


def _row(entry: BoardQueue, state: ListedState, parts: Sequence[Any]) -> JobRow:
    place, job_id, name, added, finished, size, head = parts
    return JobRow(
        entry=entry,
        state=state,
        place=place,
        job_id=text(job_id),
        name=text(name),
        added_ms=time_of(added),
        finished_ms=time_of(finished),
        size_bytes=size if size >= 0 else None,
        head=head,
    )
