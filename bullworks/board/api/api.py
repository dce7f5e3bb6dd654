"""An API as a whole: finds the route, asks the policy, reads the body, answers."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.api.body import json_of
from bullworks.board.api.call import Answer, Call, Route
from bullworks.board.api.routes import ROUTES
from bullworks.board.board import Board
from bullworks.board.errors import RefusedError, refusal_of
from bullworks.board.paths import own_of

log = logging.getLogger(__name__)


class Api:
    """Answers the API requests below one address.

    Args:
        routes: Bull Board's contract, or those of our own pages. Where two fit, the first is taken.
    """

    def __init__(self, board: Board, routes: Sequence[Route] = ROUTES) -> None:
        self._board = board
        self._routes = [(route, tuple(route.path.split("/"))) for route in routes]

    async def answer(self, request: Request, segments: Sequence[str], who: str) -> Response:
        """Answer a request; an error becomes an error response.

        Args:
            segments: of the path below that address, decoded.
        """
        try:
            return await self._answer(request, segments, who)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                log.exception("%s %s failed", request.method, "/".join(segments))
                refusal = RefusedError(500, "INTERNAL_SERVER_ERROR", "see the log of this service")
            return error_response(refusal)

    async def _answer(self, request: Request, segments: Sequence[str], who: str) -> Response:
        route, params = self._find(request.method, segments)
        call = Call(
            board=self._board,
            who=who,
            pages_at=own_of(request.state.base),
            params=params,
            query={name: value for name, value in request.query_params.items() if value},
        )
        if "queue" in params:
            call.queue_entry = await self._board.queue(who, params["queue"])
        if route.action == "read":
            return _json(await route.handler(call))
        about = params.get("job") or params.get("scheduler") or params.get("cron")
        note = params.get("status", "")
        async with self._board.mutation(who, route.action, call.queue_entry, about, note=note) as call.change:
            call.body = await json_of(request)
            await self._board.outage.check()  # a change is not begun where it would hang
            return _json(await route.handler(call))

    def _find(self, method: str, segments: Sequence[str]) -> tuple[Route, Mapping[str, str]]:
        others: set[str] = set()
        for route, pattern in self._routes:
            params = _fitting(pattern, segments)
            if params is not None and route.method == ("GET" if method == "HEAD" else method):
                return route, params
            if params is not None:
                others.add(route.method)
        if others:
            raise RefusedError(405, "FORBIDDEN", "method not allowed", headers={"Allow": ", ".join(sorted(others))})
        raise RefusedError(404, "INTERNAL_SERVER_ERROR", "not found", code="NO_ROUTE")


def error_response(refusal: RefusedError) -> Response:
    """Build the response to an error, in the form the page reads."""
    return Response(_encode(refusal.body()), refusal.status, refusal.headers, "application/json")


def _fitting(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    params: dict[str, str] = {}
    for expected, given in zip(pattern, segments, strict=True):
        if expected.startswith(":") and given:
            params[expected[1:]] = given
        elif expected != given:
            return None
    return params


def _json(answer: Any) -> Response:
    status, body = (answer.status, answer.body) if isinstance(answer, Answer) else (200, answer)
    if status == 204:
        return Response(status_code=204)
    return Response(_encode(body), status, media_type="application/json")


def _encode(body: Any) -> bytes:
    """ASCII, so that half a character, which JSON can hold and UTF-8 cannot, is written as it was."""
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:  # 1e999 is JSON, and infinite in Python as in a browser
        return json.dumps(_finite(body), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value
