"""WebModule: the HTTP server, as a module to import."""

from functools import partial

from bullworks.core import ModuleContainer, dynamic_module, provide
from bullworks.web.options import WEB_SETUP, Serve, WebOptions, complete
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
        needed = [WebSettings] if port is None else []
        return dynamic_module(
            WebModule,
            providers=[*needed, provide(WEB_SETUP, use_factory=partial(complete, options), inject=needed), WebServer],
            exports=[WEB_SETUP, WebServer],
            is_global=True,
            key=(cls, options),
        )
