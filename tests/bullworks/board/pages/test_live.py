"""Live: a stream tells a page that its figures changed, at the cost of one look for all; it holds nobody up."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from bullworks.board import BoardModule, board_app
from bullworks.board.app import BoardApp
from bullworks.board.board import Board
from bullworks.board.options import BoardOptions
from bullworks.board.pages import live
from bullworks.board.queues import BoardQueues
from bullworks.bullmq import Queue
from bullworks.core import create_application, module
from bullworks.redis.endpoint import Endpoint
from bullworks.web import WebModule, WebServer
from bullworks.workers import BullModule
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.costs import CountingConnection
from tests.bullworks.waiting import eventually

LONGEST_S = 5.0


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_S", 0.02)


class Listener:
    """A browser that holds a stream, without a network.

    Attributes:
        status: of the answer; 0 before it began.
        text: what came so far.
    """

    def __init__(self, app: Any, query: str = "", known: str = "", root: str = "") -> None:
        self.status = 0
        self.text = ""
        self._came = asyncio.Event()
        self._gone = asyncio.Event()
        self._asked = False
        headers = [(b"host", b"localhost")]
        if known:
            headers.append((b"last-event-id", known.encode()))
        path = f"{root}/-/live"
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": root,
            "query_string": query.encode(), "headers": headers, "client": ("127.0.0.1", 5), "scheme": "http",
            "http_version": "1.1", "server": ("localhost", 3000),
        }  # fmt: skip
        self.running = asyncio.create_task(app(scope, self._receive, self._send))

    async def until(self, part: str, times: int = 1) -> None:
        async with asyncio.timeout(LONGEST_S):
            while self.text.count(part) < times:
                self._came.clear()
                await self._came.wait()

    async def ended(self) -> None:
        """By itself."""
        async with asyncio.timeout(LONGEST_S):
            await self.running

    async def close(self) -> None:
        self._gone.set()
        async with asyncio.timeout(LONGEST_S):
            await asyncio.gather(self.running, return_exceptions=True)

    @property
    def changes(self) -> int:
        return self.text.count("event: change")

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message.get("body", b"").decode()
        self._came.set()


@asynccontextmanager
async def listening(app: Any, query: str = "", **more: Any) -> AsyncIterator[Listener]:
    listener = Listener(app, query, **more)
    try:
        await listener.until("id: ")
        yield listener
    finally:
        await listener.close()


async def test_a_change_of_figures_is_told_to_the_overview(open_queue: OpenQueue) -> None:
    email, other = open_queue("email"), open_queue("other")
    app = board_app(queues=[email, other])
    async with listening(app) as overview, listening(app, "queue=other") as page:
        assert overview.status == 200
        await email.add("job", {})
        await overview.until("event: change")
        await other.pause()
        await page.until("event: change")
        await overview.until("event: change", 2)
    assert page.changes == 1


async def test_what_is_sent_tells_nothing_of_the_figures(open_queue: OpenQueue) -> None:
    queue = open_queue("email")
    async with listening(board_app(queues=[queue])) as page:
        await queue.add("secret", {})
        await page.until("event: change")
        lines = {line.partition(":")[0] for line in page.text.splitlines() if line}
    assert lines == {"retry", "id", "event", "data"}
    assert "email" not in page.text


async def test_a_job_page_is_told_of_its_job_and_no_other(open_queue: OpenQueue) -> None:
    queue = open_queue("email")
    mine, other = await queue.add("mine", {}), await queue.add("other", {})
    app = board_app(queues=[queue])
    async with listening(app, f"queue=email&id={mine.id}") as page, listening(app, "queue=email") as all_of_it:
        await other.update_progress(5)
        await other.remove()
        await all_of_it.until("event: change")
        assert page.changes == 0
        await mine.update_progress(10)
        await page.until("event: change", 1)
        await mine.update_progress(20)
        await page.until("event: change", 2)
        await mine.log("a line")
        await page.until("event: change", 3)


async def test_a_browser_that_comes_back_is_told_what_it_missed_and_nothing_else(open_queue: OpenQueue) -> None:
    queue = open_queue("email")
    app = board_app(queues=[queue])
    async with listening(app) as first:
        known = first.text.partition("id: ")[2].partition("\n")[0]
    again = Listener(app, known=known)
    await eventually(lambda: app.live.digest(live.LiveSubject(("email",))) == known)
    assert again.changes == 0
    await again.close()
    await queue.add("job", {})
    async with listening(app, known=known) as back:
        await back.until("event: change")


@pytest.mark.parametrize("path", ["-/", "-/queue?name=email", "-/job?queue=email&id=1"])
async def test_what_changed_between_a_page_and_its_stream_is_told(
    open_queue: OpenQueue, board: MakeBoard, path: str
) -> None:
    queue = open_queue("email")
    job = await queue.add("job", {})
    app = board_app(queues=[queue])
    page = (await board(queue).get(path)).text
    query = html.unescape(re.findall(r'<meta name="board-live" content="([^"]*)"', page)[0])
    known = parse_qs(query)["known"]
    same = Listener(app, query)
    looks = _Looks(app)
    await eventually(lambda: looks.count() > 2)
    assert same.changes == 0
    await same.close()
    await job.update_progress(5)
    await queue.pause()
    async with listening(app, query) as late:
        await late.until("event: change")
    assert len(known[0]) == 32


async def test_queues_that_somebody_may_not_see_make_no_event(open_queue: OpenQueue) -> None:
    seen, secret = open_queue("seen"), open_queue("secret")
    app = board_app(queues=[seen, secret], policy=lambda access: access.queue != "secret")
    async with listening(app) as page:
        await secret.add("job", {})
        looks = _Looks(app)
        await eventually(lambda: looks.count() > 3)
        assert page.changes == 0
        await seen.add("job", {})
        await page.until("event: change")
    refused = Listener(app, "queue=secret")
    await refused.ended()
    nowhere = Listener(app, "queue=nowhere")
    await nowhere.ended()
    assert refused.status == nowhere.status == 404
    assert "secret" not in refused.text


async def test_all_streams_share_one_look_and_there_is_none_without_them(redis_url: str, key_prefix: str) -> None:
    connection = CountingConnection(Endpoint.of(redis_url))
    queues = [Queue[Any](name, connection=connection, prefix=key_prefix) for name in ("a", "b", "c")]
    await asyncio.gather(*(queue.wait_until_ready() for queue in queues))
    app = board_app(queues=queues)
    looks = _Looks(app)
    streams = [Listener(app) for _ in range(20)]
    for stream in streams:
        await stream.until("id: ")
    before, commands = looks.count(), connection.commands
    await eventually(lambda: looks.count() > before + 3)
    spent, done = connection.commands - commands, looks.count() - before
    assert spent <= (done + 1) * (1 + 4 * 3)  # one CLIENT LIST, and four commands a queue, whoever listens
    for stream in streams:
        await stream.close()
    assert (app.live.streams, app.live.is_polling) == (0, False)
    await connection.close()


async def test_a_page_of_one_queue_has_that_queue_alone_looked_at(redis_url: str, key_prefix: str) -> None:
    connection = CountingConnection(Endpoint.of(redis_url))
    queues = [Queue[Any](f"q{number}", connection=connection, prefix=key_prefix) for number in range(50)]
    await asyncio.gather(*(queue.wait_until_ready() for queue in queues))
    app = board_app(queues=queues)
    looks = _Looks(app)
    async with listening(app, "queue=q7"):
        before, commands = looks.count(), connection.commands
        await eventually(lambda: looks.count() > before + 3)
        assert connection.commands - commands <= (looks.count() - before + 1) * 5
    await connection.close()


async def test_there_are_only_so_many_streams(open_queue: OpenQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    app = board_app(queues=[open_queue("email")])
    async with listening(app), listening(app):
        third = Listener(app)
        await third.ended()
        assert third.status == 503
    async with listening(app) as next_one:
        assert next_one.status == 200


async def test_asking_for_the_head_holds_no_stream(board: MakeBoard) -> None:
    answer = await board().http.head("/admin/queues/-/live")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")


async def test_a_stream_lasts_only_so_long_and_beats_meanwhile(
    open_queue: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign server that waits for its answers to end is not held up for long."""
    monkeypatch.setattr(live, "STREAM_S", 0.3)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    app = board_app(queues=[open_queue("email")])
    stream = Listener(app)
    await stream.ended()
    assert stream.text.startswith("retry: ")
    assert ": still here" in stream.text
    assert not app.live.is_polling


async def test_asking_to_stop_ends_the_streams_at_once_and_begins_none(open_queue: OpenQueue) -> None:
    stopping = asyncio.Event()
    app = BoardApp(Board(BoardQueues([open_queue("email")]), BoardOptions()), lambda: stopping)
    stream = Listener(app)
    await stream.until("id: ")
    stopping.set()
    await stream.ended()
    late = Listener(app)
    await late.ended()
    assert (late.status, app.live.is_polling) == (503, False)


async def test_the_look_goes_on_when_redis_cannot_be_read(open_queue: OpenQueue, redis_url: str) -> None:
    queue = open_queue("email")
    app = board_app(queues=[queue])
    async with listening(app) as page:
        await queue.connection.execute("SET", queue.keys.of("completed"), "not a set")
        await page.until("event: change")  # the queue is shown as one that cannot be read
        await queue.connection.execute("DEL", queue.keys.of("completed"))
        await page.until("event: change", 2)
        assert app.live.is_polling


async def test_a_foreign_server_serves_streams_and_stops_in_time(
    open_queue: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAM_S", 0.5)
    app = board_app(queues=[open_queue("email")])
    config = uvicorn.Config(
        Starlette(routes=[Mount("/b", app)]), port=0, log_config=None, lifespan="off", ws="none", host="127.0.0.1"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /b/-/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(LONGEST_S):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"text/event-stream" in head
        await reader.readuntil(b"id: ")
        server.should_exit = True
        await serving
    writer.close()
    assert not app.live.is_polling


async def test_closing_the_application_lets_streams_end_by_themselves(redis_url: str, key_prefix: str) -> None:
    @module(
        imports=[
            BullModule.for_root(connection=redis_url, prefix=key_prefix, queues=("email",)),
            WebModule.for_root(port=0),
            BoardModule.for_root(auth=None),
        ]
    )
    class Shop:
        """A board."""

    async with await create_application(Shop) as application:
        port = application.get(WebServer).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /admin/queues/-/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(LONGEST_S):
            await reader.readuntil(b"id: ")
    async with asyncio.timeout(LONGEST_S):
        rest = await reader.read()
    writer.close()
    assert rest.endswith(b"\r\n0\r\n\r\n")  # complete, so it was not cut off


class _Looks:
    """Counts how often a board looked, from now on."""

    def __init__(self, app: BoardApp) -> None:
        self._count = 0
        look = app.live._look

        async def counted(topics: Any) -> Any:
            self._count += 1
            return await look(topics)

        app.live._look = counted  # type: ignore[method-assign]

    def count(self) -> int:
        return self._count
