"""Failed jobs grouped by error: how many, since when, one of them, and what can be done with all that failed alike."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.board import Board
from bullworks.board.pages.failure_groups import MOST_JOBS, FoundGroups, Group, find_groups, read_places
from bullworks.board.pages.rendering import render
from bullworks.board.snapshot import QueueSnapshot, read_queues

_LEAST_SHARE = 20
_MOST_QUEUES = MOST_JOBS // _LEAST_SHARE
_MOST_GROUPS = 200


@dataclass(frozen=True, slots=True)
class GroupActions:
    """A failure group, and which actions the caller may take on it."""

    group: Group
    may_retry_one: bool
    may_retry: bool
    may_remove: bool


async def failures(request: Request) -> Response:
    """Render the failure groups of one queue, or of all, in a fixed number of round trips."""
    board: Board = request.state.board
    who: str = request.state.who
    asked = request.query_params.get("queue", "")
    entries = [await board.queue(who, asked)] if asked else await board.visible_queues(who)
    snapshots = await read_queues(entries, with_workers=False)
    failing = sorted(
        (snapshot for snapshot in snapshots if snapshot.counts["failed"]), key=lambda one: -one.counts["failed"]
    )
    chosen = failing[:_MOST_QUEUES]
    newest = MOST_JOBS // max(1, len(chosen))
    found = await asyncio.gather(*(find_groups(snapshot.entry, newest) for snapshot in chosen))
    groups = sorted((group for one in found for group in one.groups), key=lambda group: -len(group.job_ids))
    shown = groups[:_MOST_GROUPS]
    await read_places(shown)
    return render(
        request,
        "failures.html",
        queue=asked,
        offers=[await _offer(board, who, group) for group in shown],
        more=len(groups) - len(shown),
        looked=sum(one.looked for one in found),
        failed=sum(snapshot.counts["failed"] for snapshot in snapshots),
        newest=newest,
        left_out=len(failing) - len(chosen),
        problems=_problems(snapshots, found),
    )


async def _offer(board: Board, who: str, group: Group) -> GroupActions:
    entry = group.entry
    return GroupActions(
        group,
        may_retry_one=entry.allow_retries and await board.may(who, "retry-job", entry, group.example.job_id),
        may_retry=entry.allow_retries and await board.may(who, "retry-all", entry),
        may_remove=await board.may(who, "clean", entry),
    )


def _problems(snapshots: Sequence[QueueSnapshot], found: Sequence[FoundGroups]) -> list[tuple[str, str]]:
    """Queues that cannot be read, and why."""
    unread = [(snapshot.entry, snapshot.problem) for snapshot in snapshots] + [
        (one.entry, one.problem) for one in found
    ]
    return [(entry.shown_name, problem) for entry, problem in unread if problem is not None]
