"""Live: tells open pages that their figures changed, so that they load themselves again.

A page holds one stream of server-sent events. All streams of a board share one look at Redis every two seconds, at what
they watch together and no more; without listeners there is none. What is sent is a digest of figures, never the
figures: those a page asks for as it was loaded, and is told what it may see.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bullworks.board.board import Board
from bullworks.board.outage import RedisAwayError
from bullworks.board.queues import BoardQueue
from bullworks.board.snapshot import QueueSnapshot, read_queues
from bullworks.bullmq.wire import codec
from bullworks.redis import RedisError
from bullworks.tasks import cancel_and_wait
from bullworks.web.event_stream import HEARTBEAT_S, STREAM_S, head_only, stream_events

log = logging.getLogger(__name__)

MOST_STREAMS = 100
"""Of one board: above it the answer is 503, and that page is as it was loaded."""
POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class LiveSubject:
    """The subject of a live page: queues, or one job of one queue.

    Attributes:
        queues: their names on the board; only such as may be seen.
    """

    queues: tuple[str, ...]
    job: str | None = None

    def topics(self) -> Iterable["Topic"]:
        return ((name, self.job) for name in self.queues)


Topic = tuple[str, str | None]
"""A queue, or a job of it."""


def queues_digest(snapshots: Iterable[QueueSnapshot]) -> str:
    """Digest the figures of several queues; a page's stream address carries it, to detect changes."""
    return _digest([_queue_figures(snapshot) for snapshot in snapshots])


async def job_digest(entry: BoardQueue, job_id: str) -> str:
    """Digest one job; its page's stream address carries it, to detect changes."""
    return _digest([await _job_figures(entry, job_id)])


class Live:
    """The live streams of one board, and the shared polling of Redis behind them.

    Args:
        stopping: gives what is set once the server is to stop; it ends the streams, and no more are begun.
    """

    def __init__(self, board: Board, stopping: Callable[[], asyncio.Event] | None = None) -> None:
        self._board = board
        self._stopping = stopping or _unset_event()
        self._streams: set[Stream] = set()
        self._figures: dict[Topic, str] = {}
        self._polling: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return len(self._streams)

    @property
    def is_polling(self) -> bool:
        return self._polling is not None

    def stopping(self) -> asyncio.Event:
        return self._stopping()

    def has_room(self) -> bool:
        """Whether another stream may be opened."""
        return len(self._streams) < MOST_STREAMS and not self._stopping().is_set()

    def join(self, stream: "Stream") -> None:
        """Notify a stream of each poll from now on."""
        self._streams.add(stream)
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll(), name="board-live")

    async def leave(self, stream: "Stream") -> None:
        """Stop notifying a stream; polling ends with the last one."""
        self._streams.discard(stream)
        if self._streams or self._polling is None:
            return
        polling, self._polling = self._polling, None
        self._figures = {}
        await cancel_and_wait(polling)

    def digest(self, watched: LiveSubject) -> str | None:
        """The digest of the last poll of these figures; None if not all were polled yet."""
        found = [self._figures.get(topic) for topic in watched.topics()]
        known = [figures for figures in found if figures is not None]
        return _digest(known) if len(known) == len(found) else None

    async def _poll(self) -> None:
        while True:
            topics = set(chain.from_iterable(stream.watched.topics() for stream in self._streams))
            try:
                self._figures = await self._board.outage.watch(self._look(topics))
            except RedisAwayError as away:  # each open page then loads what says so
                self._figures = dict.fromkeys(topics, str(away))
            except Exception:
                log.exception("the figures of live pages cannot be read")
            for stream in self._streams:
                stream.changed.set()
            await asyncio.sleep(POLL_S)

    async def _look(self, topics: set[Topic]) -> dict[Topic, str]:
        queues = [entry for entry in self._board.queues if (entry.shown_name, None) in topics]
        jobs = [
            (entry, job_id) for name, job_id in topics if job_id is not None and (entry := self._board.queues.get(name))
        ]
        snapshots, looked = await asyncio.gather(
            read_queues(queues, with_workers=self._board.options.show_workers),
            asyncio.gather(*(_job_figures(entry, job_id) for entry, job_id in jobs)),
        )
        # a queue that was taken away while it is watched stays as it is
        figures: dict[Topic, str] = dict.fromkeys(topics, "")
        figures.update(((snapshot.entry.shown_name, None), _queue_figures(snapshot)) for snapshot in snapshots)
        figures.update(((entry.shown_name, job_id), found) for (entry, job_id), found in zip(jobs, looked, strict=True))
        return figures


class Stream:
    """One page's event stream, as an ASGI app: sends `change` whenever the page's figures are outdated.

    Args:
        known: the digest of what the page shows, or the last one sent to a returning browser.
    """

    def __init__(self, live: Live, watched: LiveSubject, known: str | None = None) -> None:
        self.watched = watched
        self.changed = asyncio.Event()
        self._live = live
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await head_only()(scope, receive, send)
            return
        if not self._live.has_room():
            await PlainTextResponse("too many live pages are open\n", 503)(scope, receive, send)
            return
        self._live.join(self)
        try:
            await stream_events(
                self,
                receive,
                send,
                stopping=self._live.stopping(),
                stream_s=STREAM_S,
                heartbeat_s=HEARTBEAT_S,
            )
        finally:
            await self._live.leave(self)

    @property
    def is_over(self) -> bool:
        """A page's figures may always change again."""
        return False

    def news(self) -> str:
        """A `change` event if the page's figures are outdated, with the digest of the newest ones as its id."""
        digest = self._live.digest(self.watched)
        if digest is None or digest == self._known:
            return ""
        # an id alone is remembered by the browser and tells the page nothing: of what it shows nobody knows more
        event = "" if self._known is None else "event: change\ndata: \n"
        self._known = digest
        return f"id: {digest}\n{event}\n"


async def live(request: Request) -> Stream:
    """Open the event stream of a page that shows a queue, one of its jobs, or all queues."""
    board: Board = request.state.board
    who: str = request.state.who
    query = request.query_params
    if "queue" in query:
        entry = await board.queue(who, query["queue"])
        watched = LiveSubject((entry.shown_name,), query.get("id") or None)
    else:
        watched = LiveSubject(tuple(entry.shown_name for entry in await board.visible_queues(who)))
    return Stream(request.state.live, watched, request.headers.get("last-event-id") or query.get("known") or None)


_JOB_FIELDS = (
    codec.TIMESTAMP, codec.PROCESSED_ON, codec.FINISHED_ON, codec.DELAY, codec.PRIORITY, codec.ATTEMPTS_MADE,
    codec.ATTEMPTS_STARTED, codec.STALLED_COUNTER, codec.PROCESSED_BY,
)  # fmt: skip
_PROGRESS_BYTES = 1_000
"""Of larger progress only the size is looked at."""


def _digest(figures: Iterable[str]) -> str:
    return sha256("\n".join(figures).encode("utf-8", "replace")).hexdigest()[:32]


def _unset_event() -> Callable[[], asyncio.Event]:
    event = asyncio.Event()
    return lambda: event


def _queue_figures(snapshot: QueueSnapshot) -> str:
    workers = None if snapshot.workers is None else sorted(worker.id for worker in snapshot.workers)
    return repr(
        (
            snapshot.entry.shown_name, sorted(snapshot.counts.items()), snapshot.is_paused, snapshot.concurrency,
            snapshot.rate_limit_ttl_ms > 0, snapshot.schedulers, workers, snapshot.problem,
        )
    )  # fmt: skip


async def _job_figures(entry: BoardQueue, job_id: str) -> str:
    glance = entry.glance
    try:
        (fields, sizes), state, lines = await asyncio.gather(
            glance.fields_and_sizes(job_id, _JOB_FIELDS, (codec.DATA, codec.PROGRESS)),
            entry.queue.get_job_state(job_id),
            glance.count_logs(job_id),
        )
        is_small = sizes[codec.PROGRESS] <= _PROGRESS_BYTES
        progress = await glance.fields(job_id, (codec.PROGRESS,)) if is_small else None
    except RedisError as error:
        return str(error)
    return repr((state, fields, sizes, lines, progress))
