"""Our modules beside a FastAPI app: its app hosts us, or we host its; providers, requests, and what modules serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Mount

from bullworks.core import Application, Inject, Scope, create_application, injectable, module, provide
from bullworks.fastapi import Lifespan, NotHostedError, Provided
from bullworks.settings import SettingsSource
from bullworks.web import REQUEST, NoRequestError, WebModule, WebRoutes, WebServer, get_routes_token
from tests.bullworks.web.conftest import contributing, get, says

log: list[str] = []


class Users:
    def name_of(self, number: int) -> str:
        return f"user {number}"


@injectable(scope=Scope.REQUEST)
class Session:
    def __init__(self, users: Users) -> None:
        self.users = users

    async def on_module_destroy(self) -> None:
        log.append("session closed")


@injectable(scope=Scope.REQUEST)
class Tenant:
    def __init__(self, request: Annotated[HTTPConnection, Inject(REQUEST)]) -> None:
        self.name = request.headers.get("x-tenant", "")


def transaction() -> Iterator[str]:
    try:
        yield "written"
    except HTTPException as error:
        log.append(f"rolled back: {error.detail}")
        raise


PROVIDERS = [Users, Session, Tenant, provide("transaction", use_factory=transaction, scope=Scope.REQUEST)]


@module(providers=PROVIDERS, imports=[WebModule.for_root(), contributing("status", says("ok"))])
class Shop:
    """Our modules, with a route of their own."""


def describe(session: Annotated[Session, Provided(Session)]) -> Session:
    return session


def endpoints(app: FastAPI) -> FastAPI:
    """The app with endpoints that have providers injected."""

    @app.get("/users/{number}")
    async def user(
        number: int,
        users: Annotated[Users, Provided(Users)],
        session: Annotated[Session, Provided(Session)],
        same: Annotated[Session, Depends(describe)],
    ) -> dict[str, Any]:
        log.append("answered")
        return {"name": users.name_of(number), "one": session is same and session.users is users}

    @app.get("/tenant")
    async def tenant(found: Annotated[Tenant, Provided(Tenant)]) -> str:
        return found.name

    @app.get("/bad")
    def bad(written: Annotated[str, Provided("transaction")]) -> None:  # a plain function, in a thread
        raise HTTPException(409, f"{written} twice")

    return app


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app while its lifespan runs."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield http


async def test_a_request_has_one_scope_that_is_closed_after_it() -> None:
    async with client_of(endpoints(FastAPI(lifespan=Lifespan(Shop)))) as http:
        assert (await http.get("/users/7")).json() == {"name": "user 7", "one": True}
        assert log == ["answered", "session closed"]
        await http.get("/users/8")
        assert log == ["answered", "session closed"] * 2


async def test_request_scoped_providers_may_ask_for_the_request() -> None:
    async with client_of(endpoints(FastAPI(lifespan=Lifespan(Shop)))) as http:
        answers = [await http.get("/tenant", headers={"X-Tenant": name}) for name in ("acme", "globex")]
    assert [answer.json() for answer in answers] == ["acme", "globex"]
    with pytest.raises(NoRequestError, match="no request is being answered here"):
        async with create_application(Shop, settings=SettingsSource({"HTTP_SERVE": "never"})) as app, app.request():
            await app.resolve(Tenant)


async def test_what_an_endpoint_raises_reaches_the_transaction() -> None:
    async with client_of(endpoints(FastAPI(lifespan=Lifespan(Shop)))) as http:
        refused = await http.get("/bad")
    assert (refused.status_code, log) == (409, ["rolled back: written twice"])


async def test_the_app_serves_what_modules_contribute_after_its_own_at_every_start() -> None:
    app = FastAPI(lifespan=Lifespan(Shop))
    own = list(app.router.routes)
    for _ in range(2):
        async with client_of(app) as http:
            assert (await http.get("/status")).text == "ok"
    assert app.router.routes == own


async def test_routes_for_this_machine_only_look_at_each_caller() -> None:
    @module(imports=[contributing("board", says("ok"), loopback_only="it has no auth")])
    class Guarded:
        """A route that the server's address cannot keep from others here."""

    app = FastAPI(lifespan=Lifespan(Guarded))
    async with client_of(app) as http:
        assert (await http.get("/status")).text == "ok"
        assert (await http.get("/status", headers={"Host": "shop.example.com"})).status_code == 403
        transport = httpx.ASGITransport(app, client=("10.0.0.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
            assert (await other.get("/status")).status_code == 403


async def test_a_provider_can_be_overridden_before_the_start() -> None:
    class Fake(Users):
        def name_of(self, number: int) -> str:
            return "fake"

    lifespan = Lifespan(Shop)
    lifespan.application.provider_of(Users).override(Fake())
    async with client_of(endpoints(FastAPI(lifespan=lifespan))) as http:
        assert (await http.get("/users/7")).json()["name"] == "fake"


async def test_without_our_application_it_is_said_what_to_do() -> None:
    app = endpoints(FastAPI())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        with pytest.raises(NotHostedError, match=r"FastAPI\(lifespan=Lifespan\(AppModule\)\)"):
            await http.get("/users/7")


async def test_our_server_hosts_a_fastapi_app_with_its_lifespan_and_our_providers() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.append("startup")
        yield
        log.append("shutdown")

    routes = WebRoutes((Mount("/api", endpoints(FastAPI(lifespan=lifespan))),))

    @module(
        imports=[WebModule.for_root(port=0)],
        providers=[*PROVIDERS, provide(get_routes_token("api"), use_value=routes)],
    )
    class Host:
        """Our modules, which serve a FastAPI app."""

    app: Application = create_application(Host)
    async with app:
        assert app.get(WebServer).url
        assert (await get(app, "/api/users/7")).json() == {"name": "user 7", "one": True}
    assert log == ["startup", "answered", "session closed", "shutdown"]
