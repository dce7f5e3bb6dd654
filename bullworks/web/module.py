"""WebModule: the HTTP server, as a module to import."""

from functools import partial

from bullworks.core import ModuleContainer, Scope, dynamic_module, provide, provide_setup
from bullworks.web.options import WEB_SETUP, Serve, WebOptions, complete
from bullworks.web.request_scope import REQUEST, no_request
from bullworks.web.server import WebServer
from bullworks.web.settings import WebSettings


class WebModule:
    """The web server module: import `for_root()` once, in the root module; see `get_routes_token` for routes."""

    @classmethod
    def for_root(
        cls, *, host: str | None = None, port: int | None = None, serve: Serve | None = None
    ) -> ModuleContainer:
        """Provide the web server of this process.

        Args:
            host, port, serve: see `WebOptions`. With no port, those left out come from the settings, read when the
                application is built.
        """
        options = WebOptions(host=host, port=port, serve=serve)
        settings = WebSettings if port is None else None
        return dynamic_module(
            WebModule,
            providers=[
                *provide_setup(WEB_SETUP, partial(complete, options), settings),
                provide(REQUEST, use_factory=no_request, scope=Scope.REQUEST),
                WebServer,
            ],
            exports=[REQUEST, WEB_SETUP, WebServer],
            is_global=True,
            key=(cls, options),
        )
