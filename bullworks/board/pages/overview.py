"""The overview: all queues, their counts and workers, how long their oldest job waits, and what the past was like."""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.board import Board
from bullworks.board.pages.charts import Charts, read_charts, span_of
from bullworks.board.pages.live import queues_digest
from bullworks.board.pages.rendering import render
from bullworks.board.queues import BoardQueue
from bullworks.board.snapshot import COUNTED, QueueSnapshot, read_queues
from bullworks.redis import RedisError
from bullworks.workers.history import oldest_waiting


async def overview(request: Request) -> Response:
    """Render every queue that the caller may read, in a fixed number of round trips."""
    board: Board = request.state.board
    who: str = request.state.who
    entries = await board.visible_queues(who)
    snapshots, ages_ms, charts = await asyncio.gather(
        read_queues(entries, with_workers=board.options.show_workers),
        read_ages(entries),
        _charts(request),
    )
    return render(
        request,
        "overview.html",
        rows=list(zip(snapshots, ages_ms, strict=True)),
        states=COUNTED,
        totals={state: sum(snapshot.counts[state] for snapshot in snapshots) for state in COUNTED},
        oldest_ms=max((age for age in ages_ms if age is not None), default=None),
        workers=_workers(snapshots),
        paused=sum(snapshot.is_paused for snapshot in snapshots),
        show_workers=board.options.show_workers,
        charts=charts,
        known=queues_digest(snapshots),
        may_pause=await board.may(who, "pause"),
        may_resume=await board.may(who, "resume"),
    )


async def read_ages(entries: Sequence[BoardQueue]) -> list[int | None]:
    """Read how long each queue's oldest waiting job has been ready to run, in ms.

    None means none waits, the queue is paused, or it is unknown.
    """
    return await asyncio.gather(*(_age_ms(entry) for entry in entries))


async def _age_ms(entry: BoardQueue) -> int | None:
    keys = entry.queue.keys
    try:
        age_ms, _ = await oldest_waiting(entry.queue.connection.at(keys.base), keys.base)
    except RedisError:  # the snapshot says why
        return None
    return age_ms


async def _charts(request: Request) -> Charts | None:
    """Of all queues together; None if the caller may not read every queue."""
    board: Board = request.state.board
    if not await board.sees_all(request.state.who) or not len(board.queues):
        return None
    return await read_charts(board.history, None, span_of(request.query_params.get("span")))


def _workers(snapshots: Sequence[QueueSnapshot]) -> int | None:
    """Of all queues; None if a server does not list its clients."""
    known = [len(snapshot.workers) for snapshot in snapshots if snapshot.workers is not None]
    return sum(known) if len(known) == len(snapshots) else None
