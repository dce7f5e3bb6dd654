"""GuardedRoute: a route that asks who the caller is before it answers."""

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bullworks.web.auth import Auth, challenge_headers, identify, is_this_machine

WHO = "who"
"""The key in a request's state, as in `request.state.who`, of the name that `auth` gave."""


class GuardedRoute(BaseRoute):
    """A route behind authentication: others are answered with 401; `request.state.who` is the caller's name.

    Args:
        route: what answers those that are admitted.
        auth: see `Auth`; None means that only this machine is answered, others with 403.
    """

    def __init__(self, route: BaseRoute, auth: Auth | None) -> None:
        self.route = route
        self.path: object = getattr(route, "path", "")
        self._auth = auth

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return self.route.matches(scope)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        return self.route.url_path_for(name, **path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = None
        if scope["type"] == "http":
            answer = await self._admit(Request(scope, receive))
        await (self.route.handle(scope, receive, send) if answer is None else answer(scope, receive, send))

    async def _admit(self, request: Request) -> Response | None:
        """None for a caller who is to be answered, whose name it notes; else what is answered instead."""
        if self._auth is None:
            if not is_this_machine(request):
                reason = "without auth= callers on this machine are answered only, who ask for localhost\n"
                return PlainTextResponse(reason, 403)
            who: str | Response | None = "local"
        else:
            who = await identify(self._auth, request)
        if isinstance(who, Response):
            return who
        if who is None:
            return PlainTextResponse("authentication required\n", 401, challenge_headers(self._auth))
        request.scope["state"] = {**(request.scope.get("state") or {}), WHO: who}
        return None
