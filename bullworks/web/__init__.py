"""The one HTTP server of a process: modules contribute routes, uvicorn serves them in the application's lifecycle."""

from bullworks.extras import require

require("web", "the HTTP server")

from bullworks.web.auth import Auth, Identity, any_auth, anyone, basic_auth, bearer_auth
from bullworks.web.errors import (
    BadAddressError,
    LifespanError,
    NoRequestError,
    NotLoopbackError,
    PortTakenError,
    RoutesTwiceError,
    WebError,
)
from bullworks.web.module import WebModule
from bullworks.web.options import WEB_SETUP, WebOptions, WebSetup
from bullworks.web.request_scope import REQUEST
from bullworks.web.routes import WebRoutes, get_routes_token
from bullworks.web.server import WebServer
from bullworks.web.settings import WebSettings

__all__ = [
    "REQUEST",
    "WEB_SETUP",
    "Auth",
    "BadAddressError",
    "Identity",
    "LifespanError",
    "NoRequestError",
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
    "any_auth",
    "anyone",
    "basic_auth",
    "bearer_auth",
    "get_routes_token",
]
