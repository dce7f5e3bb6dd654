"""Why the HTTP server cannot start. Raised before any job is taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.core import CoreError


class WebError(CoreError):
    """Base of the errors of this package."""


@dataclass(eq=False)
class PortTakenError(WebError):
    """Another process is listening at the address."""

    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"{self.host}:{self.port} is in use by another program, perhaps this service in another process. "
            "End that one, set HTTP_PORT to a free port, or HTTP_SERVE=if-free to continue without HTTP"
        )


@dataclass(eq=False)
class BadAddressError(WebError):
    """The host and port are not an address that this machine can listen at."""

    host: str
    port: int
    reason: str

    def __str__(self) -> str:
        return f"cannot listen at {self.host}:{self.port}: {self.reason}. See HTTP_HOST and HTTP_PORT"


@dataclass(eq=False)
class NotLoopbackError(WebError):
    """The served pages are for this machine only, but the host is reachable from others."""

    host: str
    routes: str
    reason: str

    def __str__(self) -> str:
        return f"{self.routes} is not served at {self.host}, which other machines reach: {self.reason}"


@dataclass(eq=False)
class RoutesTwiceError(WebError):
    """Two modules register the same path."""

    path: str
    modules: Sequence[str]

    def __str__(self) -> str:
        return f"the path {self.path} is served by {' and by '.join(self.modules)}; give one of them another path"


@dataclass(eq=False)
class LifespanError(WebError):
    """A mounted ASGI app failed to start, or to shut down."""

    path: str
    phase: str
    reason: str

    def __str__(self) -> str:
        return f"the {self.phase} of the app that is mounted at {self.path} failed: {self.reason}"


@dataclass(eq=False)
class NoRequestError(WebError):
    """REQUEST was asked for where no request is being answered."""

    def __str__(self) -> str:
        return (
            "no request is being answered here: REQUEST is for what `Provided` of bullworks.fastapi makes; "
            "elsewhere open one with `async with modules.request({REQUEST: request}):`"
        )
