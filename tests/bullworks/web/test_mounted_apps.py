"""What an ASGI app that a module mounts is given: its lifespan, its state, the modules; and routes behind auth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from bullworks.core import ModuleContainer, dynamic_module, provide
from bullworks.web import LifespanError, NotLoopbackError, WebRoutes, basic_auth, get_routes_token
from bullworks.web.hosted_app import SCOPES
from tests.bullworks.web.conftest import Serving, contributing, get, says


def app_with_lifespan(log: list[str], *, fails_at: str = "") -> Starlette:
    """An app that notes the steps of its lifespan, and answers with what the lifespan left for requests."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, str]]:
        log.append("startup")
        if fails_at == "startup":
            raise LookupError("no database")
        yield {"greeting": "hello"}
        log.append("shutdown")
        if fails_at == "shutdown":
            raise LookupError("the database went first")

    async def answer(request: Request) -> PlainTextResponse:
        log.append("request")
        return PlainTextResponse(f"{request.state.greeting} {getattr(request.state, SCOPES).modules.get('name')}")

    return Starlette(routes=[Route("/", answer)], lifespan=lifespan)


async def test_the_lifespan_of_a_mounted_app_surrounds_its_requests_at_every_start(serving: Serving) -> None:
    log: list[str] = []
    mount = Mount("/api", app_with_lifespan(log))
    app = serving(contributing("api", mount), providers=[provide("name", use_value="ada")])
    for _ in range(2):
        async with app:
            assert (await get(app, "/api/")).text == "hello ada"
    assert log == ["startup", "request", "shutdown"] * 2


async def test_a_startup_that_fails_ends_the_start_and_shuts_down_what_had_started(serving: Serving) -> None:
    first, second = list[str](), list[str]()
    app = serving(
        contributing("a", Mount("/a", app_with_lifespan(first))),
        contributing("b", Mount("/b", app_with_lifespan(second, fails_at="startup"))),
    )
    with pytest.raises(LifespanError, match="startup of the app that is mounted at /b failed: LookupError: no data"):
        await app
    assert (first, second) == (["startup", "shutdown"], ["startup"])


async def test_a_shutdown_that_fails_is_told_and_stops_nothing(serving: Serving) -> None:
    log: list[str] = []
    app = await serving(contributing("api", Mount("/api", app_with_lifespan(log, fails_at="shutdown"))))
    with pytest.raises(ExceptionGroup) as closed:
        await app.close()
    assert closed.group_contains(LifespanError, match="shutdown of the app that is mounted at /api failed")


async def test_an_app_that_knows_no_lifespan_is_served(serving: Serving) -> None:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    async with serving(contributing("plain", Mount("/plain", plain))) as app:
        assert (await get(app, "/plain/x")).text == "/plain/x"


def guarded(auth: Any) -> ModuleContainer:
    """A module with a route behind this auth that answers with the caller's name."""

    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.who)

    class Feature:
        pass

    routes = WebRoutes.guarded(auth, Route("/who", who))
    return dynamic_module(Feature, providers=[provide(get_routes_token("who"), use_value=routes)])


async def test_a_guarded_route_knows_the_caller_and_refuses_others(serving: Serving) -> None:
    async with serving(guarded(basic_auth({"ada": "secret"})), contributing("open", says("ok"))) as app:
        assert (await get(app, "/who", auth=("ada", "secret"))).text == "ada"
        refused = await get(app, "/who", auth=("ada", "wrong"))
        assert (refused.status_code, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
        assert (await get(app, "/status")).text == "ok"


async def test_a_guarded_route_without_auth_is_for_this_machine_only(serving: Serving) -> None:
    async with serving(guarded(None)) as app:
        assert (await get(app, "/who")).text == "local"
    with pytest.raises(NotLoopbackError, match="it has no auth"):
        await serving(guarded(None), host="0.0.0.0")
