"""Lifespan: starts an application of ours with a FastAPI app, and closes it with it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from bullworks.core import Application, ModuleContainer, create_application
from bullworks.settings import SettingsSource
from bullworks.web.contributions import Contributions
from bullworks.web.hosted_app import SCOPES


class Lifespan:
    """The lifespan of a FastAPI or Starlette app that has our modules in it: `FastAPI(lifespan=Lifespan(AppModule))`.

    The app's startup ends when workers take jobs; its shutdown drains them first. In between the app also serves what
    modules contribute, the board and the job API for example, after its own routes. WebModule opens no port of its
    own, unless code gives it one. Signals, logs and the address are those of the app's server.

    Args:
        module: the root module.
        settings: where settings are read from; the environment and `.env` unless given.

    Attributes:
        application: ours, not started yet: its providers can be overridden.

    Raises:
        WiringError: the modules do not fit together.
    """

    def __init__(self, module: type[Any] | ModuleContainer, *, settings: SettingsSource | None = None) -> None:
        source = (settings or SettingsSource()).over({"HTTP_SERVE": "never"})
        self.application: Application = create_application(module, settings=source)

    def __call__(self, app: Starlette) -> AbstractAsyncContextManager[None]:
        return self._run(app)

    @asynccontextmanager
    async def _run(self, app: Starlette) -> AsyncIterator[None]:
        async with self.application:
            contributions = Contributions(self.application.discovery, self.application, is_address_checked=False)
            routes = app.router.routes
            try:
                await contributions.start()
                setattr(app.state, SCOPES, contributions.scopes)
                routes.extend(contributions.routes)
                yield
            finally:
                if hasattr(app.state, SCOPES):
                    delattr(app.state, SCOPES)
                ours = {id(route) for route in contributions.routes}
                routes[:] = [route for route in routes if id(route) not in ours]  # an equal one may be the app's own
                await contributions.close()
