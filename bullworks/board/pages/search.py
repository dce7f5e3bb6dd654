"""Search: a job by its id at once, wherever it is; others by name, state and data among the newest, up to a bound."""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.api.checks import number_of, whole
from bullworks.board.board import Board
from bullworks.board.errors import invalid
from bullworks.board.jobs import text
from bullworks.board.pages.rendering import render
from bullworks.board.pages.search_match import MOST_CHARS, Matcher
from bullworks.board.pages.search_scan import LARGEST_DATA_BYTES, MOST_HITS, Hit, Scan, Where, scan
from bullworks.board.queues import BoardQueue
from bullworks.board.rows import time_of
from bullworks.board.snapshot import COUNTED, read_queues
from bullworks.bullmq import ListedState
from bullworks.bullmq.wire import codec
from bullworks.redis import RedisError, ServerError

_WHERE: dict[str, Where] = {"auto": "both", "name": "name", "data": "data"}
_PLACES = ("auto", "id", "name", "data")
_STATES: tuple[str, ...] = COUNTED
_DEEPEST = 10**9  # no queue has as many jobs

Problems = list[tuple[str, str]]


async def search(request: Request) -> Response:
    """Search jobs by `q`, `queue`, `state` and `in`; without a query, render the form alone."""
    board: Board = request.state.board
    who: str = request.state.who
    asked = request.query_params
    wanted = asked.get("q", "").strip()
    if len(wanted) > MOST_CHARS:
        raise invalid("INVALID_QUERY_PARAM", f"the search is for {MOST_CHARS} characters at most", field="q")
    queue = asked.get("queue", "")
    place = _one_of("in", asked.get("in") or "auto", _PLACES)
    state = _one_of("state", asked.get("state", ""), ("", *_STATES))
    skip = whole(number_of(asked.get("from") or "0"), 0, _DEEPEST)
    if skip is None:
        raise invalid("INVALID_QUERY_PARAM", f"'from' is a whole number, 0 .. {_DEEPEST}", field="from")
    visible = await board.visible_queues(who)
    entries = [await board.queue(who, queue)] if queue else visible
    by_id: list[Hit] = []
    problems: Problems = []
    if wanted and place in {"auto", "id"} and skip == 0:
        by_id, problems = await _by_id(entries, wanted, state)
    scanned: Scan | None = None
    total = 0
    if place != "id" and not by_id and (wanted or state):
        states: list[ListedState] = [one for one in COUNTED if one == state or not state]
        snapshots = await read_queues(entries, with_workers=False)
        total = sum(snapshot.counts[one] for snapshot in snapshots for one in states)
        matcher = Matcher(wanted, board.redaction) if wanted else None
        largest_bytes = min(LARGEST_DATA_BYTES, board.options.shown_bytes)
        scanned = await scan(snapshots, states, matcher, _WHERE[place], skip, largest_bytes=largest_bytes)
        unread = [(snapshot.entry.shown_name, snapshot.problem) for snapshot in snapshots]
        problems = [(name, problem) for name, problem in unread if problem is not None] + scanned.problems
    return render(
        request,
        "search.html",
        fields={"q": wanted, "queue": queue, "state": state, "in": place},
        queues=[entry.shown_name for entry in visible],
        states=_STATES,
        places=_PLACES,
        hits=by_id or (scanned.hits if scanned else []),
        is_by_id=bool(by_id),
        scanned=scanned,
        total=total,
        most_hits=MOST_HITS,
        largest_kib=LARGEST_DATA_BYTES // 1024,
        problems=problems,
    )


def _one_of(name: str, given: str, choices: Sequence[str]) -> str:
    if given not in choices:
        listed = ", ".join(choice for choice in choices if choice)
        raise invalid("INVALID_QUERY_PARAM", f"{name!r} is one of {listed}", field=name)
    return given


async def _by_id(entries: Sequence[BoardQueue], job_id: str, state: str) -> tuple[list[Hit], Problems]:
    """The jobs of that id, in two trips however many queues there are; and which queues did not answer."""
    asked = (entry.glance.fields(job_id, (codec.NAME, codec.TIMESTAMP)) for entry in entries)
    hashes = await asyncio.gather(*asked, return_exceptions=True)
    there: list[tuple[BoardQueue, dict[bytes, bytes]]] = []
    problems: Problems = []
    for entry, reply in zip(entries, hashes, strict=True):
        if isinstance(reply, ServerError):
            continue  # what is called so there is another kind of key, and no job
        if isinstance(reply, RedisError):
            problems.append((entry.shown_name, str(reply)))
        elif isinstance(reply, BaseException):
            raise reply
        elif codec.TIMESTAMP in reply:  # every job has a timestamp, and no other hash of a queue
            there.append((entry, reply))
    states = await asyncio.gather(*(_state(entry, job_id) for entry, _ in there))
    hits = [
        Hit(entry, job_id, text(fields.get(codec.NAME, b"")), found, time_of(fields[codec.TIMESTAMP]))
        for (entry, fields), found in zip(there, states, strict=True)
        if found == state or not state
    ]
    return hits, problems


async def _state(entry: BoardQueue, job_id: str) -> str:
    try:
        return await entry.queue.get_job_state(job_id)
    except RedisError:  # the job is there all the same
        return "unknown"
