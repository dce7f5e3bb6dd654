"""The board as an ASGI app: `board_app(queues=[...])`, to mount at any path."""

import asyncio
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import TypedDict, Unpack

from bullworks.board.api import Api
from bullworks.board.api.api import error_response
from bullworks.board.board import Board
from bullworks.board.errors import RefusedError, refusal_of
from bullworks.board.history import HistorySource
from bullworks.board.last_answers import KeptAnswer, LastAnswers, answer_of, as_made
from bullworks.board.options import BoardOptions
from bullworks.board.outage import RedisAwayError
from bullworks.board.pages import PAGE_ACTIONS, PAGES, Live, pages_app, problem_page
from bullworks.board.paths import OWN, base_of, own_of, segments_of
from bullworks.board.queues import BoardQueue, BoardQueues
from bullworks.board.security import Auth, Guard, Policy
from bullworks.board.security.headers import secure
from bullworks.board.security.xsrf import xsrf_cookie
from bullworks.board.ui import BoardUi
from bullworks.bullmq import Queue

_READING = frozenset({"GET", "HEAD"})


class BoardAppOptions(TypedDict, total=False):
    """Options of `board_app`; BoardOptions describes each."""

    title: str
    auth: Auth | None
    policy: Policy | None
    public_url: str | None
    trusted_proxies: Sequence[str]
    read_only: bool
    allowed_hosts: Sequence[str]
    redact: Sequence[str]
    secret: str | None
    shown_bytes: int
    show_redis: bool
    show_workers: bool
    history: HistorySource | None


def board_app(
    *,
    queues: Iterable[Queue[Any] | BoardQueue],
    hidden: Iterable[str] = (),
    **options: Unpack[BoardAppOptions],
) -> "BoardApp":
    """A board of these queues, as an ASGI app: `app.mount("/admin/queues", board_app(queues=[email]))`.

    Without `auth` it answers requests from this machine only, and without `allowed_hosts` only those for localhost.

    Args:
        queues: they are not closed by the board.
        hidden: names of queues that are not shown; `*` for any text.
        options: see BoardOptions.

    Raises:
        SameQueueNameError: two queues have one name.
    """
    return BoardApp(Board(BoardQueues(queues, hidden), replace(BoardOptions(), **options), BoardUi.load()))


class BoardApp:
    """The board's ASGI app: the guard first, then Bull Board's API and page, or our own pages.

    Attributes:
        board: its queues may be added to while it runs.
        live: streams of open pages.
        guard: who is answered.

    Args:
        stopping: gives what is set once the server is to stop: it ends streams, which would hold it up.
    """

    def __init__(self, board: Board, stopping: Callable[[], asyncio.Event] | None = None) -> None:
        self.board = board
        self.live = Live(board, stopping)
        options = board.options
        self.guard = Guard(
            options.auth,
            options.allowed_hosts,
            public_url=options.public_url,
            trusted_proxies=options.trusted_proxies,
            audit=board.audit,
            secret=options.secret,
        )
        self._api = Api(board)
        self._own_api = Api(board, PAGE_ACTIONS)
        self._pages: ASGIApp = pages_app()
        self._last = LastAnswers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(self, scope, receive, send).run()
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def respond(self, request: Request, segments: tuple[str, ...]) -> ASGIApp:
        """Choose the ASGI app that answers a request.

        Raises:
            RefusedError: it is not to be answered.
        """
        state = request.scope["state"]
        who = await self.guard.admit(request)
        if isinstance(who, Response):
            return who
        state["who"] = who
        if request.method in _READING and _reads_redis(segments):
            return await self._whole(request, segments, who)
        return await self._chosen(request, segments, who)

    async def _whole(self, request: Request, segments: tuple[str, ...], who: str) -> ASGIApp:
        """An answer that is whole, or the last one that was."""
        outage, asked = self.board.outage, (who, f"{request.url.path}?{request.url.query}")
        kept, before = self._last.get(asked), outage.standing()
        try:
            answer = await outage.watch(self._read(request, segments, who))
        except RedisAwayError as away:
            if kept is None:
                raise
            return kept.stale(away, request.state.xsrf)
        if outage.was_whole(before):
            if answer.status == 200 and request.method == "GET":
                self._last.keep(asked, answer)
        elif kept is not None:
            return kept.stale(outage.away("a connection was lost"), request.state.xsrf)
        return as_made(answer)

    async def _read(self, request: Request, segments: tuple[str, ...], who: str) -> KeptAnswer:
        return await answer_of(await self._chosen(request, segments, who), request)

    async def _chosen(self, request: Request, segments: tuple[str, ...], who: str) -> ASGIApp:
        state, first, rest = request.scope["state"], segments[:1], segments[1:]
        if first == ("api",):
            return await self._api.answer(request, rest, who)
        if segments[:2] == (OWN, "api"):
            return await self._own_api.answer(request, segments[2:], who)
        if first == (OWN,):
            return self._own("/" + "/".join(rest))
        if request.method not in _READING:
            return PlainTextResponse("only GET is answered here\n", 405, {"Allow": "GET, HEAD"})
        return self._static("/".join(rest)) if first == ("static",) else self._entry(segments, state["base"])

    def _entry(self, segments: tuple[str, ...], base: str) -> ASGIApp:
        if not _is_entry(segments):
            return PlainTextResponse("there is no such page\n", 404)
        if self.board.ui is not None:
            return Response(self.board.ui.html(base, self._ui_config(base)), media_type="text/html")
        return self._own("/") if not segments else RedirectResponse(base)

    def _own(self, path: str) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            root = own_of(scope["state"]["base"])
            # below the board the paths of Starlette's routes start over
            below = {**scope, "root_path": root, "path": root + path, "raw_path": None}
            del below["raw_path"]
            await self._pages(below, receive, send)

        return run

    def _static(self, name: str) -> Response:
        file = None if self.board.ui is None else self.board.ui.files.get(name)
        if file is None:
            return PlainTextResponse("there is no such file\n", 404)
        age = "max-age=31536000, immutable" if file.is_immutable else "max-age=3600"
        return Response(file.content, 200, {"Cache-Control": f"private, {age}"}, file.media_type)

    def _ui_config(self, base: str) -> dict[str, Any]:
        options = self.board.options
        return {
            "boardTitle": options.title,
            "favIcon": {"default": "static/images/logo.svg", "alternative": "static/favicon-32x32.png"},
            "miscLinks": [{"text": page.title, "url": f"{own_of(base)}{page.path}"} for page in PAGES],
            "hideRedisDetails": not options.show_redis,
            "showWorkers": options.show_workers,
            "hasHistoryProvider": True,
            "hasHistoryUsage": True,
            "canPurgeHistory": not options.read_only,
            "hasLatencyHistory": True,
        }


class _Exchange:
    """One request and its answer, with the headers that every answer has."""

    def __init__(self, app: BoardApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope: Scope = {**scope, "state": dict(scope.get("state") or {})}
        self._receive = receive
        self._send_on = send
        self._new_token: str | None = None
        self._has_begun = False

    async def run(self) -> None:
        request = Request(self._scope, self._receive)
        segments = segments_of(self._scope)
        self._prepare(request)
        try:
            answer = await self._app.respond(request, segments)
            await answer(self._scope, self._receive, self._send)
        except Exception as error:
            refusal = _as_refusal(error)
            if refusal is None or self._has_begun:
                raise
            await _refusal(request, segments, refusal)(self._scope, self._receive, self._send)

    def _prepare(self, request: Request) -> None:
        tokens, public_url = self._app.guard.tokens, self._app.board.options.public_url
        token = tokens.of(request)
        if token is None or not tokens.is_fresh(token):
            self._new_token = token = tokens.new()
        self._scope["state"].update(
            board=self._app.board, live=self._app.live, base=base_of(self._scope, public_url), xsrf=token, who=""
        )

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            secure(headers)
            if self._new_token is not None and headers.get("content-type", "").startswith("text/html"):
                path = self._scope["state"]["base"].rstrip("/") or "/"
                public_url = self._app.board.options.public_url or ""
                is_secure = self._scope.get("scheme") == "https" or public_url.startswith("https:")
                headers.append("Set-Cookie", xsrf_cookie(self._new_token, path, is_secure=is_secure))
            message = {**message, "headers": headers.raw}
        await self._send_on(message)


def _is_entry(segments: tuple[str, ...]) -> bool:
    """The addresses that Bull Board's page has for itself."""
    if segments in {(), ("metrics-history",), ("job-schedulers",)}:
        return True
    return segments[:1] == ("queue",) and len(segments) in {2, 3}


def _reads_redis(segments: tuple[str, ...]) -> bool:
    """Whether an answer is made of what Redis says, and ends."""
    return segments[:1] in {(), ("api",)} or (segments[:1] == (OWN,) and segments[1:2] not in {("live",), ("assets",)})


def _as_refusal(error: Exception) -> RefusedError | None:
    if isinstance(error, HTTPException):
        return RefusedError(error.status_code, "FORBIDDEN", error.detail, headers=error.headers)
    return refusal_of(error)


def _refusal(request: Request, segments: tuple[str, ...], error: RefusedError) -> Response:
    """An error, as who asked can read it."""
    if segments[:1] == ("api",) or request.method not in _READING:
        return error_response(error)
    if isinstance(error, RedisAwayError):
        return problem_page(request, error)
    return PlainTextResponse(f"{error}\n", error.status, error.headers)


async def _live(receive: Receive, send: Send) -> None:
    message: MutableMapping[str, Any] = await receive()
    while message["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    await send({"type": "lifespan.shutdown.complete"})
