"""LastAnswers: what the board answered last while Redis was there, for when it is not."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from bullworks.board.outage import RedisAwayError

MOST_ANSWERS = 200
MOST_BYTES = 16 * 1024 * 1024
"""Of all answers that are kept; what was not asked for longest goes first."""

UNREACHABLE_HEADER = "X-Redis-Unreachable-Since"
PLACE = b"<div data-outage></div>"
"""Where a page says that Redis is away: `base.html` has it, and no field of a job can, as it is escaped."""

Asked = tuple[str, str]
"""Who, and the address with its query."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that was whole.

    Attributes:
        xsrf: the token of the browser that it was made for; no other browser is shown it.
        at_ms: when it was made, wall time.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    xsrf: str
    at_ms: int

    def stale(self, away: RedisAwayError, xsrf: str) -> Response:
        """Build the answer to give while Redis is away, for a browser with the token `xsrf`."""
        since, made = _instant(away.since_ms), _instant(self.at_ms)
        notice = f'<p class="outage" role="alert">Redis unreachable since {since}. What is shown is of {made}.</p>'
        body = self.body.replace(self.xsrf.encode(), xsrf.encode()).replace(PLACE, notice.encode(), 1)
        response = Response(body, self.status)
        response.raw_headers = [pair for pair in self.headers if pair[0].lower() != b"content-length"]
        response.headers["Content-Length"] = str(len(body))
        response.headers[UNREACHABLE_HEADER] = since
        response.headers["Last-Modified"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.at_ms / 1000))
        return response


class LastAnswers:
    """The last whole answer to each reading, by who asked; bounded in number and bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Asked, KeptAnswer] = OrderedDict()
        self._bytes = 0

    def keep(self, asked: Asked, answer: KeptAnswer) -> None:
        """Remember an answer in the place of the one before."""
        self._drop(asked)
        self._kept[asked] = answer
        self._bytes += len(answer.body)
        while len(self._kept) > MOST_ANSWERS or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def get(self, asked: Asked) -> KeptAnswer | None:
        """The last answer to a reading; None if there was none, or it was dropped."""
        return self._kept.get(asked)

    def _drop(self, asked: Asked) -> None:
        dropped = self._kept.pop(asked, None)
        if dropped is not None:
            self._bytes -= len(dropped.body)


async def answer_of(app: ASGIApp, request: Request) -> KeptAnswer:
    """Run an app and hold its answer whole."""
    start: Message = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def hold(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    await app(request.scope, request.receive, hold)
    headers = MutableHeaders(raw=list(start["headers"])).raw
    return KeptAnswer(start["status"], headers, b"".join(parts), request.state.xsrf, time.time_ns() // 1_000_000)


def as_made(answer: KeptAnswer) -> Response:
    """Build the answer as it was made."""
    response = Response(answer.body, answer.status)
    response.raw_headers = answer.headers
    return response


def _instant(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at_ms / 1000))
