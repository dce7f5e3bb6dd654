"""Failed jobs of a queue, grouped by error: the newest of them, up to a bound."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bullworks.board.jobs import parsed, text
from bullworks.board.pages.folding import fold, group_id
from bullworks.board.queues import BoardQueue
from bullworks.board.rows import JobRow, Window, read_rows
from bullworks.bullmq.wire import codec
from bullworks.redis import RedisError, ServerError

MOST_JOBS = 2_000
"""Failed jobs that are looked at; where several queues are shown, each has its share."""

_LARGEST_REASON_BYTES = 16 * 1024
_HEAD_BYTES = 2_400  # of a reason, enough for what is folded whatever its characters
_LARGEST_TRACE_BYTES = 64 * 1024
_LONGEST_LINE_CHARS = 300
_NAMES_SHOWN = 3
_ROWS_A_TURN = 64


@dataclass(slots=True)
class Group:
    """Jobs of one queue that failed with similar reasons.

    Attributes:
        error: what their reasons have in common.
        example: the newest.
        job_ids: the newest first.
        first_ms, last_ms: when they failed, of those that were looked at.
        place: the line of the code where the example failed; empty: it has no stack trace.
    """

    entry: BoardQueue
    error: str
    example: JobRow
    job_ids: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    first_ms: int = 0
    last_ms: int = 0
    place: str = ""

    @property
    def id(self) -> str:
        return group_id(self.error)

    @property
    def reason(self) -> str:
        """The failure reason of the group's example job."""
        return _reason(self.example)

    @property
    def shown_names(self) -> list[str]:
        """The most frequent job names in the group."""
        return [name for name, _ in self.names.most_common(_NAMES_SHOWN)]

    @property
    def more_names(self) -> int:
        return len(self.names) - len(self.shown_names)

    def add(self, row: JobRow) -> None:
        """Add a failed job to the group."""
        self.job_ids.append(row.job_id)
        self.names[row.name] += 1
        if row.finished_ms:
            self.first_ms = min(self.first_ms or row.finished_ms, row.finished_ms)
            self.last_ms = max(self.last_ms, row.finished_ms)


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """The failure groups found in one queue, and how many jobs were read.

    Attributes:
        looked: jobs that were looked at.
        problem: why they cannot be read.
    """

    entry: BoardQueue
    groups: Sequence[Group] = ()
    looked: int = 0
    problem: str | None = None


async def groups_of(entry: BoardQueue, newest: int) -> FoundGroups:
    """Group the `newest` failed jobs of a queue by reason, in one round trip.

    Raises:
        RedisError: they cannot be read.
    """
    looked, rows = await read_rows(
        entry,
        [Window("failed", 0, newest)],
        "failedReason",
        head_bytes=_HEAD_BYTES,
        largest_bytes=_LARGEST_REASON_BYTES,
    )
    groups: dict[str, Group] = {}
    for number, row in enumerate(rows):
        if number % _ROWS_A_TURN == 0:
            await asyncio.sleep(0)  # let this process serve other requests
        error = fold(_reason(row))
        if error not in groups:
            groups[error] = Group(entry, error, row)
        groups[error].add(row)
    return FoundGroups(entry, list(groups.values()), looked)


async def find_groups(entry: BoardQueue, newest: int) -> FoundGroups:
    """Group a queue's failures, or return the problem if that queue cannot be read."""
    try:
        return await groups_of(entry, newest)
    except RedisError as error:
        return FoundGroups(entry, problem=str(error))


async def read_places(groups: Sequence[Group]) -> None:
    """Read the source lines where example jobs failed, in two round trips; empty if too large or unreadable."""
    try:
        sizes = await _ask(groups, "HSTRLEN")
        small = [
            group
            for group, size in zip(groups, sizes, strict=True)
            if isinstance(size, int) and 0 < size <= _LARGEST_TRACE_BYTES
        ]
        for group, traces in zip(small, await _ask(small, "HGET"), strict=True):
            if isinstance(traces, bytes):
                group.place = _place(traces)
    except RedisError:  # the groups are shown without
        return


async def _ask(groups: Sequence[Group], command: str) -> list[object]:
    replies = await asyncio.gather(
        *(
            group.entry.queue.connection.at(group.entry.queue.keys.base).execute(
                command, group.entry.queue.keys.of(group.example.job_id), codec.STACK_TRACE
            )
            for group in groups
        ),
        return_exceptions=True,
    )
    for reply in replies:
        if isinstance(reply, BaseException) and not isinstance(reply, ServerError):
            raise reply
    return list(replies)


def _reason(row: JobRow) -> str:
    if row.size_bytes is None:
        return "(the job cannot be read)"
    if row.size_bytes > _LARGEST_REASON_BYTES:
        return "(the reason is too large to be read)"
    return text(row.head)


def _place(traces: bytes) -> str:
    """Of the newest trace the line that says where: Python's last frame, Node's first."""
    try:
        decoded = parsed(traces)
    except (ValueError, RecursionError):
        return ""
    trace = str(decoded[-1]) if isinstance(decoded, list) and decoded else ""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    frames = [line for line in lines if line.startswith('File "')][-1:] or [
        line for line in lines if line.startswith("at ")
    ]
    return (frames or lines[-1:] or [""])[0][:_LONGEST_LINE_CHARS]
