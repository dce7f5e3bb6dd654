"""Where HTTP is served, from code or from the settings."""

from dataclasses import dataclass
from typing import Literal, get_args

from bullworks.core import Token
from bullworks.web.errors import BadAddressError
from bullworks.web.settings import WebSettings

Serve = Literal["always", "if-free", "never"]
"""always: a port that is taken ends the start. if-free: then the process continues without HTTP."""

_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Options of `WebModule.for_root()`. With a port nothing is read from the environment.

    Args:
        host: to listen at; 127.0.0.1, or HTTP_HOST.
        port: to listen at, 0 for any that is free; HTTP_PORT unless given.
        serve: see `Serve`; "always", or HTTP_SERVE.
    """

    host: str | None = None
    port: int | None = None
    serve: Serve | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSetup:
    """The completed options of WebModule."""

    host: str = "127.0.0.1"
    port: int = 3000
    serve: Serve = "always"


def complete(options: WebOptions, settings: WebSettings | None = None) -> WebSetup:
    """Complete the options from the settings.

    Args:
        settings: needed where there is no port.

    Raises:
        BadAddressError: the port is none.
        ValueError: `serve` is another word.
    """
    base = WebSetup() if options.port is None else WebSetup(port=options.port)
    if settings is not None:
        base = WebSetup(host=settings.http_host, port=settings.http_port, serve=settings.http_serve)
    host, serve = options.host or base.host, options.serve or base.serve
    if type(base.port) is not int or not 0 <= base.port <= _HIGHEST_PORT:
        raise BadAddressError(host, base.port, f"a port is a number from 0 to {_HIGHEST_PORT}")
    if serve not in get_args(Serve):
        raise ValueError(f"serve must be one of {', '.join(get_args(Serve))}, not {serve!r}")
    return WebSetup(host=host, port=base.port, serve=serve)


WEB_SETUP: Token[WebSetup] = Token("web:setup", hint="import WebModule.for_root() in the root module")
