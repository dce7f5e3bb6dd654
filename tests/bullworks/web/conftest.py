"""Applications that serve HTTP on a free port of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from bullworks.core import Application, ModuleContainer, create_application, dynamic_module, provide
from bullworks.web import WebModule, WebRoutes, WebServer, get_routes_token

Serving = Callable[..., Application]


def says(text: str, path: str = "/status") -> Route:
    """A route that answers with this text."""

    async def answer(_: Any) -> PlainTextResponse:
        return PlainTextResponse(text)

    return Route(path, answer)


def contributing(name: str, *routes: BaseRoute, loopback_only: str | None = None) -> ModuleContainer:
    """A module that contributes these routes."""

    class Feature:
        pass

    given = WebRoutes(routes, loopback_only=loopback_only)
    return dynamic_module(Feature, name=name, providers=[provide(get_routes_token(name), use_value=given)])


@pytest.fixture
def serving() -> Serving:
    """An application of these modules, not started yet."""

    def build(*modules: ModuleContainer, providers: Sequence[Any] = (), port: int = 0, **options: Any) -> Application:
        class Root:
            pass

        web = WebModule.for_root(port=port, **options)
        return create_application(dynamic_module(Root, imports=[web, *modules], providers=providers))

    return build


async def get(app: Application, path: str, **options: Any) -> httpx.Response:
    """What the application answers."""
    async with httpx.AsyncClient(base_url=str(app.get(WebServer).url), timeout=5) as client:
        return await client.get(path, **options)
