"""The one HTTP server of a process: modules contribute routes, uvicorn serves them in the application's lifecycle."""

from bullworks.extras import require

require("web", "the HTTP server")

from bullworks.web.errors import BadAddressError, NotLoopbackError, PortTakenError, RoutesTwiceError, WebError
from bullworks.web.module import WebModule
from bullworks.web.options import WEB_SETUP, WebOptions, WebSetup
from bullworks.web.routes import WebRoutes, get_routes_token
from bullworks.web.server import WebServer
from bullworks.web.settings import WebSettings

__all__ = [
    "WEB_SETUP",
    "BadAddressError",
    "NotLoopbackError",
    "PortTakenError",
    "RoutesTwiceError",
    "WebError",
    "WebModule",
    "WebOptions",
    "WebRoutes",
    "WebServer",
    "WebSettings",
    "WebSetup",
    "get_routes_token",
]
