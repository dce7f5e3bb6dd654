"""Why the HTTP server cannot start. Raised before any job is taken."""

from collections.abc import Sequence

from bullworks.core import CoreError


class WebError(CoreError):
    """Base of the errors of this package."""


class PortTakenError(WebError):
    """Another process is listening at the address."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return (
            f"{self.host}:{self.port} is in use by another program, perhaps this service in another process. "
            "End that one, set HTTP_PORT to a free port, or HTTP_SERVE=if-free to continue without HTTP"
        )


class BadAddressError(WebError):
    """The host and port are not an address that this machine can listen at."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host = host
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot listen at {self.host}:{self.port}: {self.reason}. See HTTP_HOST and HTTP_PORT"


class NotLoopbackError(WebError):
    """The served pages are for this machine only, but the host is reachable from others."""

    def __init__(self, host: str, routes: str, reason: str) -> None:
        super().__init__(host, routes, reason)
        self.host = host
        self.routes = routes
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.routes} is not served at {self.host}, which other machines reach: {self.reason}"


class RoutesTwiceError(WebError):
    """Two modules register the same path."""

    def __init__(self, path: str, modules: Sequence[str]) -> None:
        super().__init__(path, tuple(modules))
        self.path = path
        self.modules = tuple(modules)

    def __str__(self) -> str:
        return f"the path {self.path} is served by {' and by '.join(self.modules)}; give one of them another path"
