"""The one HTTP server of a process: modules contribute routes, uvicorn serves them in the application's lifecycle."""

from app.web.errors import BadAddressError, NotLoopbackError, PortTakenError, RoutesTwiceError, WebError
from app.web.module import WebModule
from app.web.options import WebOptions, WebSetup
from app.web.routes import WebRoutes, get_routes_token
from app.web.server import WebServer

__all__ = [
    "BadAddressError",
    "NotLoopbackError",
    "PortTakenError",
    "RoutesTwiceError",
    "WebError",
    "WebModule",
    "WebOptions",
    "WebRoutes",
    "WebServer",
    "WebSetup",
    "get_routes_token",
]
